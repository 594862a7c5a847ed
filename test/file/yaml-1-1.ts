import { spawnSync } from "node:child_process";
import type { Requirement } from "../helpers/requires.js";

const CANDIDATES = ["/usr/bin/python3", "python3"];

const python = CANDIDATES.find(
  (candidate) => spawnSync(candidate, ["-c", "import yaml"]).status === 0,
);

/** PyYAML, the YAML 1.1 reader of the first known peer. */
export const pythonWithYaml: Requirement & { readonly python: string } = {
  needs: "python3-yaml",
  why: "the peer that reads YAML 1.1 strictly is played by PyYAML",
  available: () => python !== undefined,
  python: python ?? "python3",
};
