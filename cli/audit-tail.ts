// `signet audit tail`: the newest events of the audit log, and those that come.

import type { LoggedEvent } from "../server/audit/query.ts";
import { eachEvent, formatEvent, SOURCE, streamsFrom } from "./audit-events.ts";
import type { Command } from "./command.ts";
import { misuse } from "./flags.ts";

const DEFAULT_LAST = 20;
const MAX_LAST = 100_000;

export const command: Command = {
  description:
    "Prints the newest events of the audit log. Nothing is verified: see 'signet audit verify'.",
  flags: [
    { name: "stream", value: "<stream>", description: "of this stream alone", isRepeated: true },
    { name: "task", value: "<task>", description: "of this task alone: its SPIFFE ID or ULID" },
    { name: "type", value: "<type>", description: "of this type alone, such as task.opened" },
    {
      name: "last",
      value: "<count>",
      description: `so many; ${DEFAULT_LAST} unless said`,
      defaultValue: String(DEFAULT_LAST),
    },
    { name: "follow", description: "go on with those that come" },
    ...SOURCE,
  ],
  examples: [
    ["signet audit tail", "the newest events of all streams"],
    ["signet audit tail --stream escalation --follow", "attempts to get more, as they happen"],
  ],
  async run(input, output) {
    const last = Number(input.text("last") ?? DEFAULT_LAST);
    if (!Number.isInteger(last) || last < 1 || last > MAX_LAST) {
      throw misuse(`--last: a number from 1 to ${MAX_LAST} is expected`);
    }
    const follow = input.isOn("follow");
    if (follow && input.text("dir")) throw misuse("--follow asks the server: leave --dir out");
    const wanted = {
      streams: streamsFrom(input),
      task: input.text("task") ?? "",
      tree: false,
      type: input.text("type") ?? "",
      last,
      follow,
    };
    const events: LoggedEvent[] = [];
    await eachEvent(input, wanted, (event) => {
      if (follow) output.show(event, () => formatEvent(event));
      else events.push(event);
    });
    if (!follow && events.length === 0) output.note("no event is like that");
    if (!follow) output.show({ events }, () => events.map(formatEvent).join("\n"));
  },
};
