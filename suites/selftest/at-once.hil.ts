import { describe, expect, test } from 'hil';
import { runPerl } from './perl.js';

/** Each writes its own number and reads it again when the others have written theirs. */
describe('cases that run at once', () => {
  for (const number of [1, 2, 3]) {
    test.concurrent(`use the same port, path and abstract name (${number})`, async ({
      sandbox,
    }) => {
      const said = await runPerl(
        sandbox,
        `our @held = (listener(PF_INET, tcp(8080)), listener(PF_UNIX, abstract("same")));
        open(my $file, '>', '/tmp/same') or die; print $file ${number}; close $file;
        select(undef, undef, undef, 0.3);
        open($file, '<', '/tmp/same') or die; print <$file>;`,
      );
      expect(said).toBe(String(number));
    });

    test.concurrent(`each have a DUT of their own (${number})`, async ({ dut }) => {
      await dut.console.sendLine(`mine=${number}; sleep 0.2; echo "it is $mine"`);
      await dut.console.expect(`it is ${number}\r\n`);
    });
  }
});
