import path from "node:path";

/**
 * The rooms of `src/` and what each may import. Imports go down only:
 * `errors ← core ← file ← server, peer ← cli ← bin`; siblings don't see each other,
 * and nothing inside imports the barrel, `src/index.ts`.
 *
 * A package is allowed where it is listed: a new dependency starts with a line here and one in
 * `docs/dependencies.md`. `node:*` stands for every module of Node itself.
 *
 * @type {Readonly<Record<string, { rooms: readonly string[], packages: readonly string[] }>>}
 */
const rooms = {
  errors: { rooms: [], packages: [] },
  core: { rooms: ["errors"], packages: ["node:crypto"] },
  file: { rooms: ["errors", "core"], packages: ["node:*", "yaml"] },
  server: { rooms: ["errors", "core", "file"], packages: ["node:*", "ipaddr.js"] },
  peer: {
    rooms: ["errors", "core", "file"],
    // The frameworks for their types alone: an app brings its own.
    packages: ["node:*", "cockatiel", "lru-cache", "express", "fastify", "hono"],
  },
  cli: {
    rooms: ["errors", "core", "file", "server", "peer"],
    packages: ["node:*", "@inquirer/core", "@inquirer/prompts", "chalk", "cli-table3", "commander"],
  },
  index: { rooms: ["errors", "core", "file", "server", "peer"], packages: [] },
};

/**
 * The room a file is in: `src/core/token.ts` is in `core`, `src/errors.ts` in `errors`.
 * Undefined outside `src/`.
 *
 * @param {string} root the package's directory
 * @param {string} file an absolute path
 * @returns {string | undefined}
 */
function roomOf(root, file) {
  const [first, ...rest] = path.relative(path.join(root, "src"), file).split(path.sep);
  if (first === undefined || first === "" || first === ".." || path.isAbsolute(first)) {
    return undefined;
  }
  return rest.length > 0 ? first : first.replace(/\.[a-z]+$/, "");
}

/**
 * Why `file` may not import `specifier`; undefined where it may.
 *
 * @param {string} root
 * @param {string} file
 * @param {string} specifier
 * @returns {string | undefined}
 */
function objection(root, file, specifier) {
  const from = roomOf(root, file);
  if (from === undefined) return undefined;
  const allowed = Object.hasOwn(rooms, from) ? rooms[from] : undefined;
  if (allowed === undefined) return `src/${from} is not a room: see eslint.rooms.js`;

  if (!/^\.{0,2}\//.test(specifier)) {
    const fits = allowed.packages.some((name) =>
      name === "node:*"
        ? specifier.startsWith("node:")
        : specifier === name || specifier.startsWith(`${name}/`),
    );
    return fits ? undefined : `${from} may not import the package ${specifier}`;
  }

  const to = roomOf(root, path.resolve(path.dirname(file), specifier));
  if (to === undefined) return `${from} may not import ${specifier}, which is outside src`;
  if (to === from || allowed.rooms.includes(to)) return undefined;
  return to === "index"
    ? "nothing inside src imports the barrel: import the module itself"
    : `${from} may not import from ${to}: imports go down only`;
}

/**
 * Holds the table above for every way to name a module: `import`, `export … from`, `import()`,
 * and the same for types.
 *
 * @type {import("eslint").Rule.RuleModule}
 */
const importDirection = {
  meta: {
    type: "problem",
    docs: { description: "imports go down only, from room to room" },
    messages: {
      refused: "{{why}}.",
      unreadable: "import() of something else than a literal: its direction can't be checked.",
    },
    schema: [],
  },
  create(context) {
    /** @param {any} node */
    const check = (node) => {
      const source = node.type === "TSExternalModuleReference" ? node.expression : node.source;
      if (source === null || source === undefined) return;
      if (source.type !== "Literal" || typeof source.value !== "string") {
        if (roomOf(context.cwd, context.filename) !== undefined) {
          context.report({ node: source, messageId: "unreadable" });
        }
        return;
      }
      const why = objection(context.cwd, context.filename, source.value);
      if (why !== undefined) {
        context.report({ node: source, messageId: "refused", data: { why } });
      }
    };
    return {
      ImportDeclaration: check,
      ImportExpression: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      TSImportType: check,
      TSExternalModuleReference: check,
    };
  },
};

/** @type {import("eslint").ESLint.Plugin} */
const plugin = { rules: { "import-direction": importDirection } };

export default plugin;
