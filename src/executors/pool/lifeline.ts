/** The file descriptor of the pipe between the process of an engine and one that runs its tasks. */
export const LIFELINE = 4;
