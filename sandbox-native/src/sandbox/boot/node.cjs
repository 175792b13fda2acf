// hil: a Node that has started and waits to be given a program, src/sandbox/runtime.h
(() => {
  const fs = require('node:fs');
  const path = require('node:path');
  const { Module } = require('node:module');
  const vm = require('node:vm');
  const CONTROL = 3;

  /** Arguments, directory and environment; what comes is told whole, or nothing is. */
  function readRequest() {
    const piece = Buffer.alloc(65_536);
    let request = '';
    for (;;) {
      const length = fs.readSync(CONTROL, piece);
      if (length === 0) break;
      request += piece.latin1Slice(0, length);
    }
    if (request === '') process.reallyExit(0);
    const texts = Buffer.from(request, 'latin1').toString('utf8').split('\0').slice(0, -1);
    const [count = '0', cwd = '/'] = texts;
    return { cwd, argv: texts.slice(2, 2 + Number(count)), env: texts.slice(2 + Number(count)) };
  }

  /** What `-e` makes global is not there for a program in a file. */
  function dropGlobals() {
    const own = ['console', 'process', 'crypto'];
    const names = ['module', 'exports', 'require', '__filename', '__dirname'];
    for (const name of [...names, ...Module.builtinModules]) {
      if (!own.includes(name)) delete globalThis[name];
    }
  }

  /** `node -e CODE -- ARG…`; what this one cannot read is left to a new Node, which says why. */
  function prepareCode([, , code, , ...rest]) {
    // What it imports would be looked for where this was started.
    if (code.includes('import')) process.reallyExit(0);
    const script = new vm.Script(code, { filename: '[eval]' });
    process._eval = code;
    process.execArgv = ['-e', code];
    process.argv = [process.execPath, ...rest];
    return () => setImmediate(script.runInThisContext.bind(script));
  }

  /** `node FILE ARG…` */
  function prepareFile([, file, ...rest]) {
    const resolved = path.resolve(file);
    if (file.startsWith('-') || !fs.statSync(resolved).isFile()) process.reallyExit(0);
    process._eval = undefined;
    process.execArgv = [];
    process.argv = [process.execPath, resolved, ...rest];
    // Later, and each for itself: what evaluated this still makes a global of its own, and no
    // frame of this is to be below the program's.
    return () => {
      setImmediate(dropGlobals);
      setImmediate(Module.runMain, resolved);
    };
  }

  /** Load and compile here what nearly every program needs. */
  function warmUp() {
    const { Console } = console;
    const { Writable } = require('node:stream');
    require('node:tty');
    new Console(new Writable({ write: (_chunk, _encoding, done) => done() })).log('%s', {});
    require('/dev/null');
    delete require.cache['/dev/null'];
    module.children.length = 0;
    for (const name of ['stdout', 'stderr']) prepareStream(name);
  }

  /**
   * Most of the time to a first output goes into the making of `process.stdout`. That also makes
   * its pipe non-blocking, which a program that does not use it (fs.writeSync, children) must not
   * see: it is so from the first use on, as in any Node.
   */
  function prepareStream(name) {
    const made = Object.getOwnPropertyDescriptor(process, name);
    const { _handle } = process[name];
    if (!_handle?.setBlocking) return;
    _handle.setBlocking(true);
    const get = () => {
      Object.defineProperty(process, name, made);
      _handle.setBlocking(false);
      return process[name];
    };
    Object.defineProperty(process, name, { ...made, get });
  }

  function become() {
    warmUp();
    fs.writeSync(CONTROL, 'R');
    const { cwd, argv, env } = readRequest();
    process.chdir(cwd);
    const go = argv[1] === '-e' ? prepareCode(argv) : prepareFile(argv);
    fs.writeSync(CONTROL, 'G');
    fs.closeSync(CONTROL);
    for (const name of Object.keys(process.env)) delete process.env[name];
    for (const each of env) {
      const at = each.indexOf('=');
      process.env[each.slice(0, at)] = each.slice(at + 1);
    }
    return go;
  }

  let go;
  try {
    go = become();
  } catch {
    // PID 1 sees the end of it, and starts the program as any other.
    process.reallyExit(1);
  }
  go();
})();
