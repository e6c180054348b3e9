// Prometheus metrics. A registry per process part, never prom-client's global one, so that two
// daemons in one process (`signet up`) and tests do not share numbers. Sole user of prom-client, loaded
// only by a daemon that serves /metrics: it and what it loads take 8 MB and 90 files at the start.

/** Counts up. */
export interface Counter<Label extends string> {
  inc(value?: number): void;
  inc(labels: Readonly<Partial<Record<Label, string>>>, value?: number): void;
  /** The same for fixed labels: spares looking them up at every count. By name, or in the order of `labels`. */
  labels(labels: Readonly<Partial<Record<Label, string>>>): { inc(value?: number): void };
  labels(...values: string[]): { inc(value?: number): void };
}

/** Counts up and down. */
export interface Gauge<Label extends string> extends Counter<Label> {
  dec(value?: number): void;
  dec(labels: Readonly<Partial<Record<Label, string>>>, value?: number): void;
}

/** Counts values by their size. */
export interface Histogram<Label extends string> {
  observe(value: number): void;
  labels(labels: Readonly<Partial<Record<Label, string>>>): { observe(value: number): void };
}

/** What a metric is called and which labels it has. Labels are few-valued: never an ID of a caller. */
export interface MetricOptions<Label extends string> {
  /** Without the prefix, with the unit: "issued_svids_total", "attest_seconds". */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly Label[];
}

export interface GaugeOptions<Label extends string> extends MetricOptions<Label> {
  /** Asked at each scrape, for numbers that are known anyway. */
  readonly read?: () => number;
}

export interface HistogramOptions<Label extends string> extends MetricOptions<Label> {
  /** Upper bounds, ascending. Default: seconds from 0.1 ms to 10 s. */
  readonly buckets?: readonly number[];
}

export interface Metrics {
  counter<Label extends string = never>(options: MetricOptions<Label>): Counter<Label>;
  gauge<Label extends string = never>(options: GaugeOptions<Label>): Gauge<Label>;
  histogram<Label extends string = never>(options: HistogramOptions<Label>): Histogram<Label>;
  /** The text exposition, and its content type for the HTTP answer. */
  text(): Promise<string>;
  readonly contentType: string;
}

const SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
];

export interface RegistryOptions {
  /** Starts every name. */
  readonly prefix?: string;
  /** Adds figures of CPU, memory and event loop. */
  readonly process?: boolean;
}

/** Makes a registry. */
export async function createMetrics(options: RegistryOptions = {}): Promise<Metrics> {
  const { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } = await import(
    "prom-client"
  );
  const registry = new Registry();
  const prefix = options.prefix ?? "signet_";
  if (options.process === true) collectDefaultMetrics({ register: registry });
  const base = <Label extends string>(metric: MetricOptions<Label>) => ({
    name: `${prefix}${metric.name}`,
    help: metric.help,
    labelNames: [...(metric.labels ?? [])],
    registers: [registry],
  });
  return {
    counter: (metric) => new Counter(base(metric)),
    gauge(metric) {
      const { read } = metric;
      if (read === undefined) return new Gauge(base(metric));
      return new Gauge({
        ...base(metric),
        collect() {
          this.set(read());
        },
      });
    },
    histogram: (metric) =>
      new Histogram({ ...base(metric), buckets: [...(metric.buckets ?? SECONDS)] }),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

const ignore = (): void => undefined;
const NOT_COUNTED = { inc: ignore, dec: ignore, observe: ignore, labels: () => NOT_COUNTED };

/** For a process whose figures nobody can read: counts nothing, and costs nothing. */
export const NO_METRICS: Metrics = {
  counter: () => NOT_COUNTED,
  gauge: () => NOT_COUNTED,
  histogram: () => NOT_COUNTED,
  text: async () => "",
  contentType: "text/plain",
};
