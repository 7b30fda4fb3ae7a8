/** The version of the messages: 1 is TaskFlow's. */
export const PROTOCOL_VERSION = 2;

/** How many characters the name of anything in a message may have. */
export const LONGEST_NAME = 1024;
