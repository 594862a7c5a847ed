/** One command of a document, with the output that the document shows for it. */
export interface DocumentedCommand {
  readonly command: string;
  readonly output: string;
  /** Line of the command in the document, from 1. */
  readonly line: number;
}

/** A fenced block of a document. */
export interface Block {
  readonly language: string;
  readonly body: string;
  /** Line of the first line inside, from 1. */
  readonly line: number;
}

/** Every fenced block of a Markdown text. */
export function fencedBlocks(markdown: string): Block[] {
  const blocks: Block[] = [];
  let open: { language: string; lines: string[]; line: number } | undefined;
  for (const [index, line] of markdown.split("\n").entries()) {
    if (open === undefined) {
      const fence = /^```(\S*)$/.exec(line);
      if (fence !== null) open = { language: fence[1] ?? "", lines: [], line: index + 2 };
    } else if (line === "```") {
      blocks.push({ language: open.language, body: open.lines.join("\n"), line: open.line });
      open = undefined;
    } else {
      open.lines.push(line);
    }
  }
  return blocks;
}

/** The commands of a `console` block: lines that start `$ `, each with what stands beneath it. */
export function commandsOf(block: Block): DocumentedCommand[] {
  const commands: { command: string; output: string[]; line: number }[] = [];
  for (const [index, line] of block.body.split("\n").entries()) {
    const last = commands.at(-1);
    if (line.startsWith("$ ")) {
      commands.push({ command: line.slice(2), output: [], line: block.line + index });
    } else if (last !== undefined && last.output.length === 0 && last.command.endsWith("\\")) {
      last.command += `\n${line}`;
    } else {
      last?.output.push(line);
    }
  }
  return commands.map(({ command, output, line }) => ({
    command,
    output: output.join("\n").trim(),
    line,
  }));
}

/** The file that a block stands for, where its first line names one: `# keys.yaml`, `// who.mjs`. */
export function fileNameOf({ body }: Block): string | undefined {
  return /^(?:#|\/\/) ([\w-]+\.[a-z]+)(?:\n|$)/.exec(body)?.[1];
}

/** Everything in a text that has the shape of a token minted by `keys`. */
export function tokensIn(text: string): string[] {
  return text.match(TOKEN) ?? [];
}

const TOKEN = /\b[a-z][a-z0-9_]{0,19}_[0-9A-Za-z]{49}\b/g;

/** Output with everything made the same that differs from run to run, or from reader to reader. */
export function normalized(output: string): string {
  return output
    .replaceAll("\r", "")
    .replaceAll(TOKEN, "<token>")
    .replaceAll(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, "<request>")
    .replaceAll(/\b[0-9a-f]{64}\b/g, "<digest>")
    .replaceAll(/\b[0-9a-f]{16}\b/g, "<generation>")
    .replaceAll(/\b[0-9a-f]{12}\b/g, "<fingerprint>")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, "<instant>")
    .replaceAll(/\d{4}-\d\d-\d\d/g, "<date>")
    .replaceAll(/\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT/g, "<date>")
    .replaceAll(/\b\d+ (?:second|minute|hour|day|week|month|year)s?\b/g, "<while>")
    .replaceAll(/\bos:[\w.-]+/g, "os:<user>")
    .replaceAll(/\((?:now|<while> ago)\)/g, "(<while> ago)")
    .replaceAll(/"(age_s|exp|iat|ms)":\d+(?:\.\d+)?/g, '"$1":<n>')
    .replaceAll(/[ \t]+/g, " ")
    .replaceAll(/ ?\n ?/g, "\n")
    .trim();
}
