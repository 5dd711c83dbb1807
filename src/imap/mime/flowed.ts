/**
 * Joins the lines of format=flowed text to paragraphs (RFC 3676 section 4).
 * @param delSp whether the space before a soft break is part of the break and not of the text
 */
export function unflow(text: string, delSp: boolean): string {
  const out: string[] = [];
  let open: { depth: number; text: string } | undefined;
  const close = () => {
    if (open) out.push('>'.repeat(open.depth) + (open.depth > 0 ? ' ' : '') + open.text);
    open = undefined;
  };
  for (const line of text.split('\n')) {
    const depth = /^>*/.exec(line)?.[0].length ?? 0;
    const content = line.slice(depth).replace(/^ /, '');
    const signature = content === '-- ';
    // A change of quote depth ends a paragraph even if its last line is a flowed one (section 4.5).
    if (open && (open.depth !== depth || signature)) close();
    const flows = content.endsWith(' ') && !signature;
    const kept = flows && delSp ? content.slice(0, -1) : content;
    open = { depth, text: (open?.text ?? '') + kept };
    if (!flows) close();
  }
  close();
  return out.join('\n');
}
