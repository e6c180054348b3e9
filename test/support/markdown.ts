// Reads our own pages: code blocks and tables, for tests that compare them with what is.

export interface CodeBlock {
  /** What stands behind the fence, such as "sh run". */
  readonly info: string;
  readonly code: string;
}

/** The code blocks of a page, in order. */
export function codeBlocks(page: string): CodeBlock[] {
  return [...page.matchAll(/^```([^\n]*)\n(.*?)^```$/gms)].map(([, info = "", code = ""]) => ({
    info: info.trim(),
    code,
  }));
}

/** The part of a page below a heading, down to the next one of its level or above. */
export function sectionOf(page: string, heading: string): string {
  const lines = page.split("\n");
  const start = lines.indexOf(heading);
  if (start < 0) throw new Error(`there is no heading "${heading}"`);
  const level = heading.indexOf(" ");
  const length = lines
    .slice(start + 1)
    .findIndex((line) => /^#+ /.test(line) && line.indexOf(" ") <= level);
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join("\n");
}

/** The rows of all tables of a text, without heads; cells trimmed. */
export function tableRows(text: string): string[][] {
  const rows: string[][] = [];
  let isInBody = false;
  for (const line of text.split("\n")) {
    if (/^\|[-:| ]+\|$/.test(line)) isInBody = true;
    else if (!line.startsWith("|")) isInBody = false;
    else if (isInBody) {
      rows.push(
        line
          .slice(1, -1)
          .split(/(?<!\\)\|/)
          .map((cell) => cell.trim()),
      );
    }
  }
  return rows;
}

/** Where the links of a page lead that leave it, without anchors and web addresses. */
export function relativeLinks(page: string): string[] {
  return [...page.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}
