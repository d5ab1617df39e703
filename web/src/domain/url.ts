/** Only web addresses become links: an address in an answer could be a script. */
export function safeUrl(url: string): string {
  return /^(https?:\/\/|\/(?!\/))/i.test(url) ? url : "#";
}
