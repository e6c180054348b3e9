// A task that is open, with the node it was opened at: what tests of tasks begin with.

import type { Test } from "tap";
import { type OpenTaskOptions, openTask } from "../../client/tasks/open.ts";
import type { Task } from "../../client/tasks/task.ts";
import type { IdentityError } from "../../pki/errors.ts";
import type { Mandate } from "../../policy/mandate.ts";
import { FakeTaskNode } from "./fake-task-node.ts";
import { TestAuthority } from "./test-authority.ts";
import { until } from "./until.ts";

export const READ = { taskClass: "read-only", purpose: "triage 42" } as const;
export const TICKETS = "https://mcp.north.test/tickets";
export const MANDATE: Mandate = {
  ...{ locations: [TICKETS], actions: ["tools/read/**"], datatypes: [], uses: 20, depth: 0 },
  ...{ maxSensitivity: 0, untilUnixSeconds: undefined, environment: "production" },
};

/** Opens it, and waits until the node is followed; lets go of it after the test. */
export async function openedTask(
  t: Test,
  options: Partial<OpenTaskOptions> & { readonly authority?: TestAuthority } = {},
): Promise<{ node: FakeTaskNode; task: Task; errors: IdentityError[] }> {
  const { authority, ...more } = options;
  const node = await FakeTaskNode.start(t, authority ?? (await TestAuthority.create()));
  const errors: IdentityError[] = [];
  const onError = (error: IdentityError): void => void errors.push(error);
  const task = await openTask({
    ...READ,
    ...{ endpoint: node.endpoint, mandate: MANDATE, onError },
    ...more,
  });
  t.teardown(() => task.close());
  await until(() => node.count("WatchTask") > 0);
  return { node, task, errors };
}
