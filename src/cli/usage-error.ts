/** Nothing was begun. The message is for whoever typed the command. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
