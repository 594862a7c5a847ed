/** Longest id, label, kind or session, in characters. */
const LONGEST = 256;
/** Most nodes, and most edges, of one event. */
const MOST = 1000;

/**
 * An event as a client sends it, with the members that are known and no others:
 * `{ session, nodes: [{ id, label }], edges: [{ from, to, kind }] }`.
 *
 * @param {string} text
 * @returns the event, or undefined where the text is none.
 */
export function parseEvent(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isEvent(value) ? value : undefined;
}

/** Whether a value has the shape of an event. It may have more: that is kept and not used. */
export function isEvent(value) {
  if (!isObject(value) || !isText(value.session)) return false;
  const { nodes = [], edges = [] } = value;
  return isList(nodes, isNode) && isList(edges, isEdge);
}

function isNode(node) {
  return isObject(node) && isText(node.id) && (node.label === undefined || isText(node.label));
}

function isEdge(edge) {
  return isObject(edge) && isText(edge.from) && isText(edge.to) && isText(edge.kind);
}

function isList(list, isMember) {
  return Array.isArray(list) && list.length <= MOST && list.every(isMember);
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value) {
  return typeof value === "string" && value.length > 0 && value.length <= LONGEST;
}
