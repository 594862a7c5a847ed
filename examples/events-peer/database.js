import Database from "libsql";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS progress (
    one INTEGER PRIMARY KEY CHECK (one = 1), queue_offset INTEGER NOT NULL, skipped INTEGER NOT NULL);
  INSERT OR IGNORE INTO progress VALUES (1, 0, 0);
  CREATE TABLE IF NOT EXISTS events (
    id TEXT PRIMARY KEY, session TEXT NOT NULL, created_by TEXT NOT NULL, received_at TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS sessions (session TEXT PRIMARY KEY, owner TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS nodes (id TEXT PRIMARY KEY, label TEXT, created_by TEXT);
  CREATE TABLE IF NOT EXISTS edges (
    source TEXT NOT NULL REFERENCES nodes, target TEXT NOT NULL REFERENCES nodes,
    kind TEXT NOT NULL, created_by TEXT NOT NULL, PRIMARY KEY (source, target, kind));
  CREATE TRIGGER IF NOT EXISTS node_maker_is_written_once
    BEFORE UPDATE OF created_by ON nodes
    WHEN OLD.created_by IS NOT NULL AND NEW.created_by IS NOT OLD.created_by
    BEGIN SELECT RAISE(ABORT, 'created_by is written once'); END;
  CREATE TRIGGER IF NOT EXISTS edge_maker_is_written_once
    BEFORE UPDATE OF created_by ON edges
    WHEN NEW.created_by IS NOT OLD.created_by
    BEGIN SELECT RAISE(ABORT, 'created_by is written once'); END;
`;

/**
 * The graph that the events tell of. Everything that is said twice is taken once, so that a queue
 * may be applied again from any place.
 */
export function openDatabase(path) {
  const db = new Database(path);
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
  db.exec(SCHEMA);

  const addEvent = db.prepare("INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?)");
  const addSession = db.prepare("INSERT OR IGNORE INTO sessions VALUES (?, ?)");
  // A placeholder has no maker until somebody says the node itself; from then on it stays theirs.
  const addNode = db.prepare(`
    INSERT INTO nodes VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET
      label = COALESCE(excluded.label, label), created_by = COALESCE(created_by, excluded.created_by)`);
  const addPlaceholder = db.prepare("INSERT OR IGNORE INTO nodes VALUES (?, NULL, NULL)");
  const addEdge = db.prepare("INSERT OR IGNORE INTO edges VALUES (?, ?, ?, ?)");
  const setProgress = db.prepare("UPDATE progress SET queue_offset = ?, skipped = skipped + ?");
  const getProgress = db.prepare("SELECT queue_offset, skipped FROM progress");
  const getOwner = db.prepare("SELECT owner FROM sessions WHERE session = ?");
  const countEvents = db.prepare("SELECT count(*) AS count FROM events");

  function applyOne({ id, received_at, event }) {
    const { session, created_by, nodes = [], edges = [] } = event;
    if (addEvent.run(id, session, created_by, received_at).changes === 0) return;
    addSession.run(session, created_by);
    for (const node of nodes) addNode.run(node.id, node.label ?? null, created_by);
    for (const { from, to, kind } of edges) {
      addPlaceholder.run(from);
      addPlaceholder.run(to);
      addEdge.run(from, to, kind, created_by);
    }
  }

  return {
    /** All of the records and how far the queue was read, or nothing of it. */
    apply: db.transaction((records, offset, skipped) => {
      for (const record of records) applyOne(record);
      setProgress.run(offset, skipped);
    }),
    progress() {
      const { queue_offset: offset, skipped } = getProgress.get();
      return { offset, skipped, events: countEvents.get().count };
    },
    ownerOf: (session) => getOwner.get(session)?.owner,
    close: () => db.close(),
  };
}
