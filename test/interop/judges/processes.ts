// Readers that are asked about all cases at once, as JSON lines: Go's crypto/x509 and zlint (one program,
// ../go), and python-cryptography (../python/verify.py).
import { spawn } from "node:child_process";
import type { ReaderName, Verdict } from "../corpus/case.ts";
import type { Judge } from "./judge.ts";

/** A judge that is a program: `command` gets the kind of document as its last argument. */
export function processJudge(
  name: ReaderName,
  command: readonly [string, ...string[]],
  kinds: readonly ("chains" | "crls" | "requests")[],
): Judge {
  const [program, ...args] = command;
  const about =
    (kind: string) =>
    async (files: readonly object[]): Promise<ReadonlyMap<string, Verdict>> => {
      const child = spawn(program, [...args, kind], { stdio: ["pipe", "pipe", "pipe"] });
      let out = "";
      let err = "";
      child.stdout.setEncoding("utf8").on("data", (piece) => {
        out += piece;
      });
      child.stderr.setEncoding("utf8").on("data", (piece) => {
        err += piece;
      });
      child.stdin.end(files.map((file) => `${JSON.stringify(file)}\n`).join(""));
      const status = await new Promise((resolve) => child.once("close", resolve));
      if (status !== 0) throw new Error(`${name} ${kind} failed: ${err}`);
      const lines = out.split("\n").filter((line) => line !== "");
      return new Map(
        lines.map((line) => {
          const { name: of, accepted, says } = JSON.parse(line);
          return [of, { accepted, says }];
        }),
      );
    };
  return {
    name,
    version: async () => [...(await about("version")([])).values()][0]?.says ?? "",
    ...Object.fromEntries(kinds.map((kind) => [kind, about(kind)])),
  };
}
