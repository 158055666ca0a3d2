// Room parts: asks before an act that cannot be undone. Called by the run, environment and delivery screens.
import { AlertDialog } from "radix-ui";
import type { ReactNode } from "react";
import { Button, type ButtonKind, buttonClass } from "./controls.tsx";
import { Icon, type IconName } from "./Icon.tsx";

interface ConfirmProps {
  label: string;
  icon?: IconName;
  kind?: ButtonKind;
  title: string;
  /** What will happen, in a sentence. */
  children: ReactNode;
  /** The word on the button that does it. */
  act: string;
  disabled?: boolean;
  onConfirm(): void;
}

export function Confirm({ label, icon, kind = "plain", title, children, act, disabled = false, onConfirm }: ConfirmProps) {
  return (
    <AlertDialog.Root>
      <AlertDialog.Trigger asChild>
        <Button kind={kind} disabled={disabled}>
          {icon && <Icon name={icon} />}
          {label}
        </Button>
      </AlertDialog.Trigger>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="fixed inset-0 z-40 bg-sunken/70" />
        <AlertDialog.Content className="card fixed top-1/3 left-1/2 z-50 w-[min(26rem,92vw)] -translate-x-1/2 -translate-y-1/3 p-4 shadow-xl">
          <AlertDialog.Title className="text-base font-semibold">{title}</AlertDialog.Title>
          <AlertDialog.Description className="mt-1.5 text-soft">{children}</AlertDialog.Description>
          <div className="mt-4 flex justify-end gap-2">
            <AlertDialog.Cancel className={buttonClass("plain")}>Keep as is</AlertDialog.Cancel>
            <AlertDialog.Action className={buttonClass(kind === "danger" ? "danger" : "primary")} onClick={onConfirm}>
              {act}
            </AlertDialog.Action>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
