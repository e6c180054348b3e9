// JSON lines on standard error: `time`, `level`, `msg`, then fields with fixed names (`spiffe_id`,
// `entry_id`, `agent_id`, `authority_id`, `serial`, `reason`, `error`). The logger is passed in, never
// imported as a global. Sole user of pino. What must not be written is kept out by redact.ts.

import { pino } from "pino";
import { redactFields, redactText } from "./redact.ts";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

type LogMethod = {
  (message: string): void;
  (fields: object, message: string): void;
};

/** One change of state made by a call: who did what to which object, and how it ended. */
export interface AuditRecord {
  /** The caller: a SPIFFE ID, or for a local socket "uid:1000". */
  readonly who: string;
  /** The method as on the wire ("/pkg.Service/Method"), or the name of an automatic step. */
  readonly method: string;
  /** What was changed: an entry ID, an agent ID, an authority ID. */
  readonly object: string;
  /** "ok", or the reason it failed. */
  readonly outcome: string;
  readonly [field: string]: unknown;
}

export interface Logger {
  readonly trace: LogMethod;
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  readonly fatal: LogMethod;
  /** Writes one audit line, whatever the level is, before the answer leaves. */
  audit(record: AuditRecord): void;
  /** A logger that adds `fields` to each of its lines. */
  child(fields: object): Logger;
  isLevelEnabled(level: LogLevel): boolean;
  /** The level from which on lines are written; the same for a logger and all its children. */
  readonly level: LogLevel;
  /** Changes the level of this logger, its parents and its children at once. */
  setLevel(level: LogLevel): void;
}

export interface LoggerOptions {
  /** Default "info". */
  readonly level?: LogLevel;
  /** Where lines go, one call a line. Default standard error, written before the call returns. */
  readonly destination?: { write(line: string): void };
  /** Fields of every line, such as the name of the daemon. */
  readonly fields?: object;
}

/** Makes the logger of a process. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const threshold: Threshold = { level: options.level ?? "info" };
  const root = pino(
    {
      // Everything: pino's loggers copy their level when they are made, ours share the threshold.
      level: "trace",
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: {},
    },
    // Synchronous: the last lines before a crash are the ones that matter, and an audit line must be
    // out before the answer is.
    options.destination ?? pino.destination({ dest: 2, sync: true }),
  );
  const sink = options.fields === undefined ? root : root.child(redactFields(options.fields));
  return loggerOf(sink, threshold);
}

/** A logger that writes nothing. */
export const silentLogger: Logger = createLogger({
  level: "silent",
  destination: { write: () => {} },
});

interface Threshold {
  level: LogLevel;
}

function loggerOf(sink: pino.Logger, threshold: Threshold): Logger {
  const isEnabled = (level: LogLevel): boolean =>
    LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(threshold.level);
  const method = (level: Exclude<LogLevel, "silent">): LogMethod => {
    const write = (fieldsOrMessage: object | string, message?: string): void => {
      if (!isEnabled(level)) return;
      if (typeof fieldsOrMessage === "string") sink[level](redactText(fieldsOrMessage));
      else sink[level](redactFields(fieldsOrMessage), redactText(message ?? ""));
    };
    return write;
  };
  const trail = sink.child({ audit: true });
  return {
    trace: method("trace"),
    debug: method("debug"),
    info: method("info"),
    warn: method("warn"),
    error: method("error"),
    fatal: method("fatal"),
    // `log.level: error` must not switch off the audit trail; a silent logger has none.
    audit(record) {
      if (threshold.level !== "silent") trail.info(redactFields(record), "audit");
    },
    child: (fields) => loggerOf(sink.child(redactFields(fields)), threshold),
    isLevelEnabled: isEnabled,
    get level() {
      return threshold.level;
    },
    setLevel(level) {
      threshold.level = level;
    },
  };
}
