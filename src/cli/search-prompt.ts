import {
  createPrompt,
  isDownKey,
  isEnterKey,
  isUpKey,
  makeTheme,
  useKeypress,
  useMemo,
  usePagination,
  usePrefix,
  useState,
  type Status,
  type Theme,
} from "@inquirer/core";

/** Something to find. */
export interface SearchChoice {
  /** As it is shown. */
  readonly name: string;
  /** What it is found by besides its name. */
  readonly also: string;
}

/** What to search, and how it is drawn. */
export interface SearchConfig {
  readonly message: string;
  readonly choices: readonly SearchChoice[];
  readonly theme: Partial<Pick<Theme, "prefix">> & { readonly style?: Partial<Theme["style"]> };
}

/** Lines of the list that are seen at once. */
const PAGE = 7;

/**
 * A list that gets shorter while one types; gives the index of what is chosen. A choice is found by
 * all words of what is typed, in any case.
 *
 * What is typed is drawn only while it finds something: text that finds nothing may be a secret. Not
 * inquirer's own search, which looks late: keys that come at once would choose from the list before.
 */
export const searchPrompt: ReturnType<typeof createPrompt<number, SearchConfig>> = createPrompt<
  number,
  SearchConfig
>(({ message, choices, ...config }, done) => {
  const theme = makeTheme(config.theme);
  const [status, setStatus] = useState<Status>("idle");
  const [term, setTerm] = useState("");
  const [active, setActive] = useState(0);
  const prefix = usePrefix({ status, theme });
  const found = useMemo(() => find(choices, term), [term]);

  useKeypress((key, line) => {
    if (isEnterKey(key)) {
      const chosen = found[active];
      if (chosen === undefined) {
        // Enter has emptied the line.
        line.write(term);
        return;
      }
      setStatus("done");
      done(chosen);
    } else if (isUpKey(key) || isDownKey(key)) {
      // The line's own history knows nothing.
      line.clearLine(0);
      line.write(term);
      const next = active + (isUpKey(key) ? -1 : 1);
      setActive(Math.max(0, Math.min(next, found.length - 1)));
    } else if (line.line !== term) {
      setTerm(line.line);
      setActive(0);
    }
  });

  const asked = `${prefix} ${theme.style.message(message, status)}`;
  const first = Math.max(0, active - PAGE);
  const page = usePagination({
    // What can be seen, since each item costs at every key.
    items: found.slice(first, active + PAGE + 1),
    active: active - first,
    pageSize: PAGE,
    loop: false,
    renderItem: ({ item, isActive }) => {
      const line = `${isActive ? "❯" : " "} ${choices[item]?.name ?? ""}`;
      return isActive ? theme.style.highlight(line) : line;
    },
  });
  if (status === "done") {
    return `${asked} ${theme.style.answer(choices[found[active] ?? 0]?.name ?? "")}`;
  }
  const typed = found.length === 0 ? "•".repeat(term.length) : term;
  const body = found.length === 0 ? theme.style.error("nothing is found by that") : page;
  const help = theme.style.help("type to search, ↑↓ to move, ⏎ to choose");
  return [`${asked} ${typed}`.trimEnd(), `${body}\n${help}`];
});

function find(choices: readonly SearchChoice[], term: string): readonly number[] {
  const words = term.toLowerCase().split(/\s+/);
  return choices.flatMap(({ name, also }, index) => {
    const [text, start] = [name.toLowerCase(), also.toLowerCase()];
    return words.every((word) => text.includes(word) || start.startsWith(word)) ? [index] : [];
  });
}
