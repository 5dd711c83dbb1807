/**
 * Whether a connection that has a folder selected is trusted to notice when another folder takes its place under the same
 * name. Dovecot answers NOOP with an untagged NO then, and goes on to show the old folder. Without trust the broker's
 * connections are broken when it happens, so that each selects the folder anew.
 */
export const noticesReplaced = false;

/**
 * Whether writes are trusted to find messages that came after their connection had selected the folder. Without trust
 * they may answer that there are no such messages.
 */
export const findsNewMail = false;
