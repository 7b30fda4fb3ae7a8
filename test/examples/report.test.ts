import { describe, expect, it } from 'vitest';
import { bytes, Report } from '../../examples/publish-directory/report.js';

describe('the report of publish-directory', () => {
  it('shows a table, and what went wrong, in which no name gives orders to a terminal', () => {
    const output = { text: '', write: (text: string) => (output.text += text) };
    const report = new Report(output);
    report.line('Publishing');
    report.problem('two\nlines\u001b[31m');
    report.table([
      ['files', '6'],
      ['where', 'a\nb'],
    ]);
    expect(output.text).toBe('Publishing\ntwo\nlines\\x1b[31m\n\n  files  6\n  where  a\\nb\n');
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
