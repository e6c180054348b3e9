// Which attested agents a list or a count means: SPIRE's filter. How they are listed: agent-list.ts.
import type { spire } from "../../proto/schema.gen.ts";
import { formatSelector, type Selector, selectorsFromWire } from "../../proto/types/selector.ts";
import { serverError } from "../errors.ts";
import type { NodeRecord } from "../store/node-record.ts";

type Filter = spire.api.server.agent.v1.ListAgentsRequest.Filter;

type Texts = ReadonlySet<string>;

const isWithin = (inner: Texts, outer: Texts): boolean => [...inner].every((one) => outer.has(one));

// How the selectors of a filter relate to those of an agent, by number on the wire.
const MATCHES: readonly ((agent: Texts, wanted: Texts) => boolean)[] = [
  (agent, wanted) => agent.size === wanted.size && isWithin(agent, wanted),
  (agent, wanted) => agent.size > 0 && isWithin(agent, wanted),
  (agent, wanted) => isWithin(wanted, agent),
  (agent, wanted) => [...wanted].some((one) => agent.has(one)),
];

/**
 * The predicate that a filter stands for; without a filter every agent passes.
 * @throws FILTER_INVALID, SELECTOR_INVALID
 */
export function agentFilter(filter: Filter | undefined): (node: NodeRecord) => boolean {
  if (filter === undefined) return () => true;
  const { byAttestationType, byBanned, byCanReattest } = filter;
  const tests: ((node: NodeRecord) => boolean)[] = [];
  if (byAttestationType !== "") {
    tests.push((node) => node.attestationType === byAttestationType);
  }
  if (byBanned !== undefined) tests.push((node) => node.banned === byBanned.value);
  if (byCanReattest !== undefined) tests.push((node) => node.canReattest === byCanReattest.value);
  if (filter.byExpiresBefore !== "") {
    const limit = parseGoTime(filter.byExpiresBefore).getTime() / 1000;
    tests.push((node) => node.notAfterUnixSeconds < limit);
  }
  if (filter.bySelectorMatch !== undefined) tests.push(selectorTest(filter.bySelectorMatch));
  return (node) => tests.every((test) => test(node));
}

function selectorTest(match: spire.api.types.SelectorMatch): (node: NodeRecord) => boolean {
  const matches = MATCHES[match.match];
  if (matches === undefined) {
    throw serverError("FILTER_INVALID", `there is no selector match ${match.match}`, {
      hint: "use exact (0), subset (1), superset (2) or any (3)",
    });
  }
  if (match.selectors.length === 0) {
    throw serverError("FILTER_INVALID", "the selector match names no selectors");
  }
  const wanted = texts(selectorsFromWire(match.selectors));
  return (node) => matches(texts(node.selectors), wanted);
}

function texts(selectors: readonly Selector[]): Texts {
  return new Set(selectors.map(formatSelector));
}

/** A moment as Go writes it, "2026-01-31 15:04:05 +0000 UTC" (the name of the zone says nothing more). */
function parseGoTime(text: string): Date {
  const pattern =
    /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d{1,9})? ([+-]\d\d)(\d\d)(?: [\w+-]{1,8})?$/;
  const [, day, time, hours, minutes] = pattern.exec(text) ?? [];
  const moment = new Date(`${day}T${time}${hours}:${minutes}`);
  if (day === undefined || Number.isNaN(moment.getTime())) {
    throw serverError("FILTER_INVALID", `${JSON.stringify(text.slice(0, 64))} is not a moment`, {
      hint: 'write it as "2026-01-31 15:04:05 +0000 UTC"',
    });
  }
  return moment;
}
