import { defineConfig, type ViteUserConfig } from "vitest/config";

const spawning = ["test/cli/**/*.test.ts", "test/**/*.bin.test.ts"];

/** With real proxies: once is enough, whatever Node runs the bin. */
const proxies = ["test/proxies/**/*.bin.test.ts"];

const strict = { allowOnly: false, testTimeout: 30_000 };

/** Where the CI run wants the results as JSON besides the screen. */
const report = process.env["KEYHOLD_TEST_REPORT"];

const config: ViteUserConfig = defineConfig({
  test: {
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]],
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: spawning,
          ...strict,
        },
      },
      {
        // Tests of the built bin, spawned under KEYHOLD_TEST_NODE or this Node.
        test: {
          name: "blackbox",
          include: spawning,
          exclude: proxies,
          globalSetup: ["test/helpers/built.ts"],
          ...strict,
          hookTimeout: 30_000,
          // Each worker spawns processes of its own: more than two would measure the machine.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          // Node 20 reads the whole bundle at every start, which makes the bin three times slower.
          env: { NODE_EXTRA_CA_CERTS: "" },
        },
      },
      {
        test: {
          name: "proxies",
          include: proxies,
          globalSetup: ["test/helpers/built.ts"],
          ...strict,
          hookTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
          env: { NODE_EXTRA_CA_CERTS: "" },
        },
      },
    ],
  },
});

export default config;
