// Room login: /login. Asks for the admin password when the server wants one, then goes where the person was going.
import { useQuery } from "@tanstack/react-query";
import { Navigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { explain, useLogin } from "../api/actions.ts";
import { sessionQuery } from "../api/queries.ts";
import { buttonClass } from "../parts/controls.tsx";
import { Mark } from "../parts/Icon.tsx";
import { localPath } from "./localPath.ts";

export function LoginPage() {
  const session = useQuery(sessionQuery).data;
  const { next } = useSearch({ from: "/login" });
  const login = useLogin();
  const [password, setPassword] = useState("");
  const enter = (event: FormEvent) => {
    event.preventDefault();
    login.mutate(password);
  };
  if (session?.authenticated) return <Navigate to={localPath(next)} replace />;
  return (
    <main className="flex min-h-full items-center justify-center p-4">
      <form onSubmit={enter} className="card flex w-80 max-w-full flex-col gap-3 p-6">
        <h1 className="flex items-center gap-2 text-lg font-semibold">
          <Mark /> Holdfast
        </h1>
        <label className="flex flex-col gap-1">
          <span className="caps">Admin password</span>
          <input
            type="password"
            autoComplete="current-password"
            required
            className="field h-8"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </label>
        {login.error && (
          <p role="alert" className="text-bad">
            {explain(login.error)}
          </p>
        )}
        <button type="submit" className={buttonClass("primary")} disabled={login.isPending}>
          {login.isPending ? "Logging in…" : "Log in"}
        </button>
        <p className="text-xs text-soft">It is the one set in HOLDFAST_ADMIN_PASSWORD where the server was started.</p>
      </form>
    </main>
  );
}
