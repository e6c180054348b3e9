// spire.api.server.logger.v1.Logger: the level of the server's log, read and changed while it runs.
import type { Handlers } from "../../proto/rpc/service.ts";
import { type LoggerService, type spire, LogLevel as WireLevel } from "../../proto/schema.gen.ts";
import type { Logger, LogLevel } from "../../runtime/log.ts";
import { serverError } from "../errors.ts";

/** Levels by number on the wire. The wire has "panic" below "fatal"; our highest level serves for both. */
const LEVELS: ReadonlyMap<number, LogLevel> = new Map<number, LogLevel>([
  [WireLevel.PANIC, "fatal"],
  [WireLevel.FATAL, "fatal"],
  [WireLevel.ERROR, "error"],
  [WireLevel.WARN, "warn"],
  [WireLevel.INFO, "info"],
  [WireLevel.DEBUG, "debug"],
  [WireLevel.TRACE, "trace"],
]);

/** The handlers of the service. The level at this moment is the one that a reset goes back to. */
export function loggerHandlers(log: Logger): Handlers<typeof LoggerService> {
  const launchLevel = log.level;
  const state = (): spire.api.types.Logger => ({
    currentLevel: levelToWire(log.level),
    launchLevel: levelToWire(launchLevel),
  });
  return {
    getLogger: async () => state(),
    async setLogLevel({ newLevel }) {
      const level = LEVELS.get(newLevel);
      if (level === undefined) {
        throw serverError("LOG_LEVEL_INVALID", `there is no log level ${newLevel}`, {
          hint: "give one from panic (1) to trace (7)",
        });
      }
      log.setLevel(level);
      return state();
    },
    async resetLogLevel() {
      log.setLevel(launchLevel);
      return state();
    },
  };
}

function levelToWire(level: LogLevel): number {
  for (const [number, name] of LEVELS) {
    if (name === level && number !== WireLevel.PANIC) return number;
  }
  return WireLevel.UNSPECIFIED; // silent, which the wire does not know
}
