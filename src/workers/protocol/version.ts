/** The version of the messages: 1 is TaskFlow's. */
export const PROTOCOL_VERSION = 2;
