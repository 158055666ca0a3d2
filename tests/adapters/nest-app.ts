// Tests: NestJS applications with our module: with a guard and a controller of their own. Decorators are called as functions, as TypeScript
// compiles them, since the test runner's compiler does not know those of parameters.
import "reflect-metadata";
import type { AddressInfo } from "node:net";
import type { TriggerClient } from "@holdfast/sdk";
import { InjectTriggerDevClient, TriggerClientRef, TriggerDevModule } from "@holdfast/sdk/nestjs";
import {
  Body,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  type INestApplication,
  Injectable,
  Module,
  Post,
} from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import { Test } from "@nestjs/testing";
import { defineEcho, KEY } from "./echo.ts";

interface Running {
  origin: string;
  stop(): Promise<void>;
}

const QUIET = { logger: false } as const;

class Guard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest().headers["x-let-me"] === "in";
  }
}

class GuardedController {
  read(): string {
    return "read";
  }
  write(body: unknown): unknown {
    return { got: body };
  }
}
const described = (name: "read" | "write") =>
  Object.getOwnPropertyDescriptor(GuardedController.prototype, name) as PropertyDescriptor;
Controller("guarded")(GuardedController);
Get()(GuardedController.prototype, "read", described("read"));
Post()(GuardedController.prototype, "write", described("write"));
Body()(GuardedController.prototype, "write", 0);

/** Defines the jobs on the client it is given, as a user's provider does. */
class Jobs {
  constructor(client: TriggerClient) {
    defineEcho(client);
  }
}
Injectable()(Jobs);
InjectTriggerDevClient()(Jobs, undefined, 0);

function appModule(path?: string) {
  class AppModule {}
  const imports = [TriggerDevModule.register({ id: "adapters", apiKey: KEY }, path)];
  Module({ imports, providers: [Jobs], controllers: [GuardedController] })(AppModule);
  return AppModule;
}

async function running(app: INestApplication): Promise<Running> {
  await app.listen(0, "127.0.0.1");
  const { port } = app.getHttpServer().address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, stop: () => app.close() };
}

export interface NestApp {
  platform: "express" | "fastify";
  /** Nest's global prefix. */
  prefix?: string;
  path?: string;
}

export async function startNest({ platform, prefix, path }: NestApp): Promise<Running> {
  const options = { ...QUIET, forceCloseConnections: true };
  const app =
    platform === "express"
      ? await NestFactory.create(appModule(path), options)
      : await NestFactory.create(appModule(path), new FastifyAdapter({ bodyLimit: 1000 }), options);
  if (prefix) app.setGlobalPrefix(prefix);
  app.useGlobalGuards(new Guard());
  return running(app);
}

/** Two clients in one testing module: one with options from a provider of the app, one with a token and a path of its own. */
export async function startNestTesting(): Promise<Running & { ids: string[] }> {
  const SECOND = Symbol("second");
  const config = { provide: "CONFIG", useValue: { id: "from-config", apiKey: KEY } };
  class ConfigModule {}
  Module({ providers: [config], exports: ["CONFIG"] })(ConfigModule);
  const useFactory = (from: { id: string; apiKey: string }) => from;
  const first = TriggerDevModule.registerAsync({ imports: [ConfigModule], inject: ["CONFIG"], useFactory });
  const second = TriggerDevModule.register({ id: "second", apiKey: KEY }, "/second", SECOND);
  const compiled = await Test.createTestingModule({ imports: [first, second] }).compile();
  const app = compiled.createNestApplication(QUIET);
  const ids = [TriggerClientRef, SECOND].map((token) => app.get<TriggerClient>(token, { strict: false }).id);
  return { ...(await running(app)), ids };
}

export async function clientOfContext(): Promise<TriggerClient> {
  const context = await NestFactory.createApplicationContext(appModule(), QUIET);
  const client = context.get<TriggerClient>(TriggerClientRef, { strict: false });
  await context.close();
  return client;
}
