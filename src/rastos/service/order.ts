/** Which service comes before which: pure, over names. */

/** What the order needs to know of a service. */
export interface OrderNode {
  readonly name: string;
  readonly type: string;
  readonly requires: readonly string[];
  readonly wants: readonly string[];
  readonly after: readonly string[];
  readonly before: readonly string[];
}

/** Why one service waits for another, weakest first: weak ones are given up to break a cycle. */
export const EDGE_KINDS = ["after", "wants", "requires"] as const;
/** One of {@link EDGE_KINDS}. */
export type EdgeKind = (typeof EDGE_KINDS)[number];

/** `from` waits for `to`. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly kind: EdgeKind;
}

/** A circle of waiting, and what became of it. */
export interface Cycle {
  /** Closed: the first name again at the end. */
  readonly path: readonly string[];
  /** The order that is not kept, so that the rest can start; undefined: all of it is required. */
  readonly dropped: Edge | undefined;
}

/** The order of a set of services. */
export interface ServiceOrder {
  /** Without cycles. What waits for nothing is there too. */
  readonly waitsFor: ReadonlyMap<string, ReadonlyMap<string, EdgeKind>>;
  readonly waitedForBy: ReadonlyMap<string, ReadonlySet<string>>;
  readonly cycles: readonly Cycle[];
  /** Services that can never start: they require each other in a circle. */
  readonly stuck: ReadonlySet<string>;
}

type Graph = Map<string, Map<string, EdgeKind>>;

/**
 * The order of these services. A service waits for what it requires, wants and comes after, and for
 * what comes before it, as far as that is among them. A target does not wait for what orders itself
 * after the target. Cycles lose their weakest edge; each is named.
 */
export function orderServices(nodes: Iterable<OrderNode>): ServiceOrder {
  const graph = graphOf([...nodes]);
  const cycles: Cycle[] = [];
  const stuck = new Set<string>();
  for (let path = findCycle(graph); path !== undefined; path = findCycle(graph)) {
    const dropped = weakest(graph, path);
    graph.get(dropped.from)?.delete(dropped.to);
    if (dropped.kind === "requires") {
      for (const name of path) stuck.add(name);
      cycles.push({ path, dropped: undefined });
    } else {
      cycles.push({ path, dropped });
    }
  }
  return { waitsFor: graph, waitedForBy: reversed(graph), cycles, stuck };
}

function graphOf(nodes: readonly OrderNode[]): Graph {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const graph: Graph = new Map(nodes.map(({ name }) => [name, new Map()]));
  const add = (from: string, to: string, kind: EdgeKind): void => {
    const edges = graph.get(from);
    if (from === to || edges === undefined || !graph.has(to)) return;
    const old = edges.get(to);
    if (old === undefined || rank(old) < rank(kind)) edges.set(to, kind);
  };
  const isLater = (name: string, than: OrderNode): boolean =>
    byName.get(name)?.after.includes(than.name) === true || than.before.includes(name);
  for (const node of nodes) {
    for (const name of node.after) add(node.name, name, "after");
    for (const name of node.before) add(name, node.name, "after");
    for (const kind of ["wants", "requires"] as const) {
      for (const name of node[kind]) {
        if (node.type !== "target" || !isLater(name, node)) add(node.name, name, kind);
      }
    }
  }
  return graph;
}

function rank(kind: EdgeKind): number {
  return EDGE_KINDS.indexOf(kind);
}

/** Some cycle, closed; depth first, without recursion: names come from files. */
function findCycle(graph: Graph): string[] | undefined {
  const done = new Set<string>();
  for (const start of graph.keys()) {
    if (done.has(start)) continue;
    const path: string[] = [start];
    const onPath = new Set(path);
    const iterators = [graph.get(start)?.keys() ?? [].values()];
    while (path.length > 0) {
      const next = iterators.at(-1)?.next();
      if (next === undefined || next.done === true) {
        const finished = path.pop() ?? "";
        onPath.delete(finished);
        done.add(finished);
        iterators.pop();
        continue;
      }
      const name = next.value;
      if (onPath.has(name)) return [...path.slice(path.indexOf(name)), name];
      if (done.has(name)) continue;
      path.push(name);
      onPath.add(name);
      iterators.push(graph.get(name)?.keys() ?? [].values());
    }
  }
  return undefined;
}

/** The edge of a closed path that matters least; of equals the last. */
function weakest(graph: Graph, path: readonly string[]): Edge {
  const edges = path.slice(0, -1).map((from, index): Edge => {
    const to = path[index + 1] ?? from;
    return { from, to, kind: graph.get(from)?.get(to) ?? "after" };
  });
  return edges.reduce((best, edge) => (rank(edge.kind) <= rank(best.kind) ? edge : best));
}

function reversed(graph: Graph): Map<string, Set<string>> {
  const result = new Map<string, Set<string>>([...graph.keys()].map((name) => [name, new Set()]));
  for (const [from, edges] of graph) for (const to of edges.keys()) result.get(to)?.add(from);
  return result;
}

/** The goals and all that they require or want, directly or not, as far as it is known. */
export function closureOf(
  goals: Iterable<string>,
  nodes: ReadonlyMap<string, Pick<OrderNode, "requires" | "wants">>,
): Set<string> {
  const found = new Set<string>();
  const queue = [...goals];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const node = nodes.get(name);
    if (node === undefined || found.has(name)) continue;
    found.add(name);
    queue.push(...node.requires, ...node.wants);
  }
  return found;
}

/** The services and all that require them, directly or not: those that stop with them. */
export function dependentsOf(
  names: Iterable<string>,
  nodes: ReadonlyMap<string, Pick<OrderNode, "requires">>,
): Set<string> {
  const found = new Set(names);
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const [name, node] of nodes) {
      if (node.requires.some((other) => found.has(other))) found.add(name);
    }
  }
  return found;
}

/** In groups that can start at the same time, each after the one before it. */
export function startWaves(order: ServiceOrder): string[][] {
  const waves: string[][] = [];
  const placed = new Set<string>();
  while (placed.size < order.waitsFor.size) {
    const wave = [...order.waitsFor]
      .filter(([name, edges]) => !placed.has(name) && [...edges.keys()].every(isPlaced))
      .map(([name]) => name)
      .sort();
    if (wave.length === 0) break;
    for (const name of wave) placed.add(name);
    waves.push(wave);
  }
  return waves;

  function isPlaced(name: string): boolean {
    return placed.has(name);
  }
}
