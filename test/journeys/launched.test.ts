// AI agents of one interpreter under one user: told apart by the name they are launched under.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { signet, startUp } from "../support/signet.ts";

const cli = new URL("../../cli/index.ts", import.meta.url).pathname;
const client = new URL("../../client/index.ts", import.meta.url).href;

/** An agent's script: prints the SPIFFE ID it gets, or why it gets none. */
const SCRIPT = `import { fetchX509Svid } from ${JSON.stringify(client)};
console.log(await fetchX509Svid().then(({ id }) => String(id), ({ reason }) => reason));
`;

t.test(
  "scripts of one interpreter, one user and one folder get the identity of their name",
  async (t) => {
    const up = await startUp();
    t.teardown(() => up.stop());
    const script = join(up.dir, "agent.mjs");
    writeFileSync(script, SCRIPT);
    const endpoint = `unix://${up.agentSocket}`;
    const env = { ...process.env, SPIFFE_ENDPOINT_SOCKET: endpoint };
    for (const name of ["planner", "researcher"]) {
      await up.admin(
        ...["entry", "create", "--parent-id", "spiffe://north.test/node"],
        ...["--spiffe-id", `spiffe://north.test/${name}`],
        ...["--selector", `unix:uid:${process.getuid?.()}`, "--selector", `launch:name:${name}`],
      );
    }
    const launch = (name: string, ...command: string[]) =>
      signet(["run", "--socket", endpoint, "--name", name, "--", ...command], { env });
    const node = process.execPath;

    await t.test("each launched one gets its own", async (t) => {
      for (const name of ["planner", "researcher"]) {
        const result = await launch(name, node, script);
        t.equal(result.stdout.trim(), `spiffe://north.test/${name}`, result.stderr);
      }
    });

    await t.test("so does what a launched one starts", async (t) => {
      const result = await launch("planner", "sh", "-c", `"${node}" "${script}"; exit 7`);
      t.equal(result.stdout.trim(), "spiffe://north.test/planner", result.stderr);
      t.equal(result.status, 7, "and the exit code is the command's");
    });

    await t.test(
      "the same program in the same folder, started otherwise, is refused",
      async (t) => {
        const plain = await signet(["api", "fetch", "x509", "--socket", endpoint], { env });
        t.equal(plain.status, 1);
        t.match(plain.stderr, /NO_IDENTITY_ISSUED/);
        const other = await launch("stranger", node, script);
        t.equal(
          other.stdout.trim(),
          "NO_IDENTITY_ISSUED",
          "under a name that nobody registered, too",
        );
      },
    );

    await t.test(
      "a process from outside is not served at the socket of a launched one",
      async (t) => {
        // The launched command tells where its socket is, and waits; somebody else of the same user tries it.
        const inside = `console.log(process.env.SPIFFE_ENDPOINT_SOCKET); process.stdin.resume();`;
        const holder = spawn(
          node,
          [cli, "run", "--socket", endpoint, "--name", "planner", "--", node, "-e", inside],
          { stdio: ["pipe", "pipe", "inherit"], env },
        );
        t.teardown(() => holder.kill("SIGKILL"));
        const [first] = (await once(holder.stdout, "data")) as [Buffer];
        const socket = first.toString().trim();
        t.match(socket, /^unix:\/\/\//);
        const outside = await signet(["api", "fetch", "x509", "--socket", socket], { env });
        t.equal(outside.status, 1, outside.stdout);
        t.notMatch(outside.stdout, /planner/);
      },
    );
  },
);
