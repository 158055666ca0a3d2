// Room parts: a sentence in which `backticks` mark code. Used where the text comes from the catalogue.
export function Words({ text }: { text: string }) {
  const [before, code, ...rest] = text.split("`");
  return (
    <>
      {before}
      {code !== undefined && <code className="mono">{code}</code>}
      {rest.length > 0 && <Words text={rest.join("`")} />}
    </>
  );
}
