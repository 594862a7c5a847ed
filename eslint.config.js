import comments from "@eslint-community/eslint-plugin-eslint-comments";
import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";
import rooms from "./eslint.rooms.js";

const noExit = ["exit", "exitCode", "reallyExit"].map((property) => ({
  object: "process",
  property,
  message: "Return the exit status: only bin/keys.cjs sets it.",
}));

const asArgument = "Time, randomness, streams and environment come into core as arguments.";

const inCore = {
  globals: [
    "clearInterval",
    "clearTimeout",
    "crypto",
    "fetch",
    "performance",
    "process",
    "queueMicrotask",
    "setImmediate",
    "setInterval",
    "setTimeout",
  ].map((name) => ({ name, message: asArgument })),
  properties: [
    { object: "Date", property: "now", message: asArgument },
    { object: "Math", property: "random", message: asArgument },
    { property: "randomBytes", message: asArgument },
    { property: "randomUUID", message: asArgument },
  ],
  syntax: [
    { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: asArgument },
    { selector: "CallExpression[callee.name='Date']", message: asArgument },
  ],
  imports: [
    {
      name: "node:crypto",
      importNames: [
        "getRandomValues",
        "randomBytes",
        "randomFill",
        "randomFillSync",
        "randomInt",
        "randomUUID",
        "webcrypto",
      ],
      message: asArgument,
    },
  ],
};

const noExitImport = {
  name: "node:process",
  importNames: ["exit", "reallyExit"],
  message: "Return the exit status: only bin/keys.cjs sets it.",
};

const onlyAndSkip = [
  {
    selector: "MemberExpression[property.name='only']",
    message: "`.only` hides every other test.",
  },
  {
    selector:
      "MemberExpression[property.name=/^(skip|skipIf|runIf|todo)$/][object.name=/^(describe|it|suite|test)$/]",
    message: "A test that needs a program uses describeWith (test/helpers/requires.ts).",
  },
  {
    selector: "CallExpression[callee.property.name='skip'][arguments.length=0]",
    message: "Say why the test is skipped.",
  },
];

export default defineConfig(
  globalIgnores(["dist/", "coverage/", "test/vectors/"]),
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["**/*.{js,mjs,ts}"],
    extends: [js.configs.recommended, tseslint.configs.strictTypeChecked],
    plugins: { "eslint-comments": comments },
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ["*.js", "bin/*.js", ".ci/*.mjs", "examples/*.js"] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      eqeqeq: "error",
      "eslint-comments/no-unlimited-disable": "error",
      "eslint-comments/require-description": "error",
    },
  },
  {
    files: ["src/**/*.ts"],
    plugins: { rooms },
    rules: {
      "max-lines": ["error", { max: 400 }],
      "no-console": "error",
      "no-restricted-imports": ["error", { paths: [noExitImport] }],
      "no-restricted-properties": ["error", ...noExit],
      "rooms/import-direction": "error",
    },
  },
  {
    files: ["src/core/**/*.ts"],
    rules: {
      "no-restricted-globals": ["error", ...inCore.globals],
      "no-restricted-imports": ["error", { paths: [noExitImport, ...inCore.imports] }],
      "no-restricted-properties": ["error", ...noExit, ...inCore.properties],
      "no-restricted-syntax": ["error", ...inCore.syntax],
    },
  },
  {
    files: ["test/**/*.ts"],
    rules: { "no-restricted-syntax": ["error", ...onlyAndSkip] },
  },
  {
    // The one file that may skip: it gives the reason, and fails instead where CI is set.
    files: ["test/helpers/requires.ts"],
    rules: { "no-restricted-syntax": "off" },
  },
  {
    // Untyped trees, JSON, a dist/ that may not be there; tsconfig.scripts.json checks their types.
    files: ["**/*.{js,mjs}"],
    rules: {
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
      "no-undef": "off",
    },
  },
  {
    // Plain JavaScript as a reader would write it: without types, rules about types see `any` in all.
    files: ["examples/*/*.js"],
    extends: [tseslint.configs.disableTypeChecked],
  },
);
