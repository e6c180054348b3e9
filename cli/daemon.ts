// What the commands that run a daemon share: settings, log, signals, and the end.

import { loadConfig, type z } from "../runtime/config.ts";
import { handleSignals } from "../runtime/lifecycle.ts";
import { createLogger, type Logger, type LogLevel } from "../runtime/log.ts";
import type { Input } from "./command.ts";
import { required } from "./flags.ts";

/** Something that runs until it is stopped or fails. */
export interface Daemon {
  readonly failed: Promise<never>;
  /** Reads anew what can change without a restart. */
  reload?(): Promise<void>;
  stop(): Promise<void>;
}

/** Reads the file that --config names. */
export function configFrom<S extends z.ZodType>(input: Input, schema: S): Promise<z.output<S>> {
  return loadConfig({ path: required(input, "config", "--config") }, schema);
}

/** The log of a daemon, on standard error. */
export function daemonLog(name: string, level: LogLevel): Logger {
  return createLogger({ level, fields: { daemon: name } });
}

/**
 * Starts a daemon and runs it until SIGTERM, SIGINT or its failure; SIGHUP lets it reload. A signal during the start stops it as soon
 * as it has started.
 */
export async function runDaemon<D extends Daemon>(
  log: Logger,
  start: (signal: AbortSignal) => Promise<D>,
  onStarted: (daemon: D) => void | Promise<void> = () => undefined,
): Promise<void> {
  const stopping = new AbortController();
  const stopped = Promise.withResolvers<void>();
  let running: Daemon | undefined;
  const release = handleSignals({
    log,
    onStop: () => {
      stopping.abort(new Error("stopped by a signal"));
      stopped.resolve();
    },
    onReload: () => running?.reload?.(),
  });
  try {
    const daemon = await start(stopping.signal);
    running = daemon;
    try {
      const greeted = Promise.resolve(onStarted(daemon)).then(() => stopped.promise);
      await Promise.race([stopped.promise, daemon.failed, greeted]);
    } finally {
      await daemon.stop();
    }
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
  } finally {
    release();
  }
}
