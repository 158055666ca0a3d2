// Room chrome: the list of keyboard shortcuts, opened with `?`.
import { Dialog } from "radix-ui";
import { COMMAND_KEY } from "../browser/device.ts";
import { Button, Kbd } from "../parts/controls.tsx";
import { PAGES } from "./pages.ts";

const KEYS: [string, string][] = [
  [`${COMMAND_KEY}K`, "Find a page, job, endpoint or run"],
  ["?", "This list"],
  ["j / k", "Next / previous row or task"],
  ["Enter", "Open the row"],
  ["← / →", "Fold / unfold a task"],
  ["Esc", "Close, or leave the selected task"],
  ...PAGES.map((page): [string, string] => [`g ${page.key}`, `Go to ${page.title}`]),
];

export function Shortcuts({ open, onOpenChange }: { open: boolean; onOpenChange(open: boolean): void }) {
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-sunken/70" />
        <Dialog.Content
          aria-describedby={undefined}
          className="card fixed top-1/2 left-1/2 z-50 max-h-[85vh] w-[min(26rem,92vw)] -translate-x-1/2 -translate-y-1/2 overflow-auto p-4 shadow-xl"
        >
          <Dialog.Title className="mb-2 text-base font-semibold">Keyboard shortcuts</Dialog.Title>
          <dl>
            {KEYS.map(([keys, meaning]) => (
              <div key={keys} className="flex items-center justify-between gap-4 border-b border-line py-1.5">
                <dt className="order-2">
                  <Kbd>{keys}</Kbd>
                </dt>
                <dd className="text-soft">{meaning}</dd>
              </div>
            ))}
          </dl>
          <Dialog.Close asChild>
            <Button className="mt-4 w-full">Close</Button>
          </Dialog.Close>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
