// What hosts and servers say is untrusted: before it reaches a terminal, everything that could steer the terminal is taken out.
/* oxlint-disable no-control-regex -- control characters are what this is about */

// CSI, OSC (ended by BEL or ST), other string sequences, and two-character escapes; C1 forms too. ECMA-48, section 5.
const escapes =
  /(?:\u001B\]|\u009D)[^\u0007\u001B\u009C]*(?:\u0007|\u001B\\|\u009C)?|(?:\u001B[PX^_]|[\u0090\u0098\u009E\u009F])[^\u001B\u009C]*(?:\u001B\\|\u009C)?|(?:\u001B\[|\u009B)[0-?]*[ -/]*[@-~]?|\u001B[ -/]*[0-~]?/g;
const controls = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g;
// Characters that turn the direction of text around or are invisible: they can make a line read as something else (CVE-2021-42574).
const direction = /[\u200B\u200E\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF]/g;

/** The text without escape sequences, control characters (tab and newline stay) and direction overrides. */
export function sanitize(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(escapes, '').replace(controls, '').replace(direction, '');
}

/** As `sanitize`, on one line: newlines and tabs become spaces. */
export function sanitizeLine(text: string): string {
  return sanitize(text)
    .replaceAll(/[\n\t]+/g, ' ')
    .trimEnd();
}
