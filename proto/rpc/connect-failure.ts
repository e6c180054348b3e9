// What grpc-js says when it cannot connect, in words for people: its own text wraps the cause in
// "No connection established. Last error: Error: ... Resolution note: ".

const WRAPPED = /^No connection established\. Last error: (.*?)\. Resolution note:.*$/s;
const CLASS_NAME = /^(?:[A-Za-z]*Error: )+/;
const LOCAL_ADDRESS = / - Local \([^)]*\)/;
const MOMENT = / \(\d{4}-\d\d-\d\dT[\d:.]+Z\)$/;

/** The cause alone, such as "cannot connect: connect ENOENT /run/x.sock"; any other text as it is. */
export function describeFailure(details: string): string {
  const cause = WRAPPED.exec(details)?.[1];
  if (cause === undefined) return details;
  const plain = cause.replace(MOMENT, "").replace(CLASS_NAME, "").replace(LOCAL_ADDRESS, "");
  return plain === "" || plain === "null" ? "cannot connect" : `cannot connect: ${plain}`;
}
