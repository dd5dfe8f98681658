/** Names and addresses under which a machine finds only itself. */
const LOOPBACK = /^(?:localhost|.*\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i;

/** The server's address in an enrolment command, if no other machine can reach it there. */
export function loopbackServer(command: string): string | undefined {
  const address = /--server\s+(\S+)/.exec(command)?.[1];
  if (address === undefined || !URL.canParse(address)) return undefined;
  return LOOPBACK.test(new URL(address).hostname) ? address : undefined;
}
