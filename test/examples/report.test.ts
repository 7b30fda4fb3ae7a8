import { describe, expect, it } from 'vitest';
import { bytes, printable, Report } from '../../examples/publish-directory/report.js';

class Screen {
  text = '';
  constructor(
    readonly isTTY: boolean,
    readonly columns = 0,
  ) {}
  write(text: string): void {
    this.text += text;
  }
}

function tell(screen: Screen, isDumb = false): string {
  const report = new Report(screen, { isDumb });
  report.begin(10, 3);
  report.finished('compress a');
  report.progress('verify', 0.257);
  report.reverted('compress a', 1);
  report.line('done');
  return screen.text;
}

describe('the report of publish-directory', () => {
  it('draws one line again and again on a terminal', () => {
    const [drawn = '', ...others] = tell(new Screen(true)).split('\n');
    expect(others).toEqual(['']);
    expect(drawn.split('\r')).toEqual([
      '',
      expect.stringContaining('4/10 compress a\u001b[K'),
      expect.stringContaining('verify: 25 %\u001b[K'),
      expect.stringContaining('1 compress a\u001b[K'),
      '\u001b[Kdone',
    ]);
  });

  it.each([
    ['elsewhere', new Screen(false), false],
    ['on a terminal that cannot draw', new Screen(true), true],
  ])('writes a line for each atom %s', (_, screen, isDumb) => {
    expect(tell(screen, isDumb)).toBe('   4/10 compress a\n  reverted compress a\ndone\n');
  });

  it('draws no more than fits into a line', () => {
    const screen = new Screen(true, 40);
    const report = new Report(screen, { isDumb: false });
    report.begin(1, 0);
    report.finished(`compress ${'日本'.repeat(50)}`);
    const [, drawn = ''] = screen.text.replace('\u001b[K', '').split('\r');
    expect(Array.from(drawn).reduce((width, character) => width + (character > '\u3000' ? 2 : 1), 0)).toBeLessThan(40);
    expect(drawn).toContain('1/1 compress 日');
  });

  it('lets no name give orders to a terminal', () => {
    expect(printable('a\u001b[31m\n\u009bb')).toBe('a\\x1b[31m\\n\\x9bb');
  });

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [99_940, '99.9 kB'],
    [99_950, '100 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [5e15, '5000 TB'],
  ])('says %d as %s', (count, text) => {
    expect(bytes(count)).toBe(text);
  });
});
