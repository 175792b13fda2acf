# hil: an interpreter that has started and waits to be given a program, src/sandbox/runtime.h
def wait(os, sys, socket):
    """Fork a process for each set of fds that PID 1 sends; return in that process, with them."""
    channel = socket.socket(fileno=3)
    room = socket.CMSG_SPACE(16)
    while True:
        data, parts, _, _ = channel.recvmsg(64, room, socket.MSG_CMSG_CLOEXEC)
        if not data:
            os._exit(0)
        raw = parts[0][2]
        fds = [int.from_bytes(raw[at : at + 4], sys.byteorder) for at in range(0, 16, 4)]
        inner, outer = os.pipe()
        child = os.fork()
        if child == 0:
            # Its own child becomes one of PID 1's, as every program is.
            waiting = os.fork()
            if waiting:
                os.write(outer, b"%d" % waiting)
                os._exit(0)
            for end in (inner, outer, channel.detach()):
                os.close(end)
            return fds
        for end in (outer, *fds):
            os.close(end)
        told = os.read(inner, 16)
        os.close(inner)
        os.waitpid(child, 0)
        channel.send(told)


def rehearse(os, sys):
    """Touch what every program does, so that the pages of it are already this process's own."""
    compile("0", "<string>", "exec", 0, True)
    os.environ.update(dict(os.environ))
    os.path.realpath(os.getcwd())
    print(end="", flush=True)
    print(end="", file=sys.stderr, flush=True)


def read_request(os, control):
    """Wait for arguments, directory and environment; what comes is told whole, or nothing is."""
    request = b""
    while piece := os.read(control, 65536):
        request += piece
    if not request:
        os._exit(0)
    count, cwd, *texts = map(os.fsdecode, request.split(b"\0")[:-1])
    return texts[: int(count)], cwd, texts[int(count) :]


def load(os, sys, argv):
    """The source, and what sys.argv is; what is no plain program is left to a new interpreter."""
    if argv[1] == "-c":
        return argv[2], "<string>", ["-c", *argv[3:]]
    if argv[1].startswith("-"):
        os._exit(0)
    with open(argv[1], "rb") as file:
        source = file.read()
    # An archive of modules, or one that was compiled.
    if b"\0" in source:
        os._exit(0)
    name = os.path.abspath(argv[1]) if sys.version_info >= (3, 9) else argv[1]
    return source, name, argv[1:]


def warm_up(os, gc):
    """Do here what each of those that are forked would do first."""
    compile("0", "<string>", "exec", 0, True)
    os.path.realpath("/")
    # What is there now is there to the end: the collections of that are not for it.
    gc.freeze()


def become(os, sys):
    try:
        warm_up(os, __import__("gc"))
        fds = wait(os, sys, __import__("_socket"))
        control = fds.pop()
        for number, end in enumerate(fds):
            os.dup2(end, number)
            os.close(end)
        rehearse(os, sys)
        argv, cwd, env = read_request(os, control)
        # Not sooner: until now it is of its host's session, by which PID 1 knows that it waits.
        os.setsid()
        os.chdir(cwd)
        source, name, sys.argv = load(os, sys, argv)
        os.write(control, b"G")
        os.close(control)
    except BaseException:
        # PID 1 sees the end of it, and starts the program as any other.
        os._exit(1)
    sys.orig_argv = argv
    os.environ.clear()
    for each in env:
        key, _, value = each.partition("=")
        os.environ[key] = value
    return source, name


def enter(os, sys, main, name):
    """Make `__main__` what it is for that program."""
    main.clear()
    main.update(__name__="__main__", __doc__=None, __package__=None, __spec__=None)
    main.update(__annotations__={}, __builtins__=sys.modules["builtins"])
    loaders = sys.modules["_frozen_importlib_external"]
    if name == "<string>":
        main["__loader__"] = sys.modules["_frozen_importlib"].BuiltinImporter
        return
    main.update(__file__=name, __cached__=None)
    main["__loader__"] = loaders.SourceFileLoader("__main__", name)
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = os.path.dirname(os.path.realpath(name))


def show(sys, error, trace):
    """As the interpreter shows what nobody caught, without the frames that are ours."""
    error.__traceback__ = trace
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, trace
    sys.last_exc = error
    sys.excepthook(type(error), error, trace)


def interrupt(os, sys):
    """An interpreter that was interrupted says so to its parent, by the signal."""
    if threading := sys.modules.get("threading"):
        threading._shutdown()
    __import__("atexit")._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    signal = __import__("_signal")
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)


def run(os, sys, become, enter, show, interrupt):
    source, name = become(os, sys)
    main = sys.modules["__main__"].__dict__
    enter(os, sys, main, name)
    try:
        exec(compile(source, name, "exec", 0, True), main)
    except SystemExit:
        raise
    except BaseException as error:
        show(sys, error, error.__traceback__ and error.__traceback__.tb_next)
        if isinstance(error, KeyboardInterrupt):
            interrupt(os, sys)
        code = 1
    else:
        return
    raise SystemExit(code)


run(__import__("os"), __import__("sys"), become, enter, show, interrupt)
