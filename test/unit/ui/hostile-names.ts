/** Names as somebody who means harm, or a person with a sense for emoji, would give them. */
export const hostileNames: readonly (readonly [string, string])[] = [
  ['an escape that clears the screen', 'a\u001B[2J\u001B[Hb'],
  ['a title', 'x\u001B]0;owned\u0007y'],
  ['the 8-bit form', 'c\u009B31md'],
  ['text turned around', 'dory\u202Egnp.exe'],
  ['line breaks and tabs', 'two\nlines\tand\ra tab'],
  ['wide letters', '港湾クラスター'],
  ['a family in one character', 'ship 👩‍👩‍👧‍👦 crew'],
  ['a flag', 'port 🇩🇪 north'],
  ['skin tones and selectors', '👍🏽 ❤️ 1️⃣'],
  ['a heap of marks', `z${'\u0301'.repeat(60)}algo`],
  ['253 letters', 'n'.repeat(253)],
  ['253 wide letters', '波'.repeat(253)],
  ['a private letter that the screens use', '\uE000abc'],
];
