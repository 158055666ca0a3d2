// Room: adapters. NestJS 10 and later, on Express or Fastify. Public as `@holdfast/sdk/nestjs`.
// Promises: the server's calls are answered before Nest's body parsers, guards, pipes and interceptors see them, so that bodies keep their bytes
// and no rule of the app's own stands in the way; the key guards the route. Everything else goes on to Nest untouched.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { InjectionToken } from "@nestjs/common";
import {
  type ConfigurableModuleAsyncOptions,
  ConfigurableModuleBuilder,
  type DynamicModule,
  Inject,
  Module,
} from "@nestjs/common";
import { HttpAdapterHost, ModuleRef } from "@nestjs/core";
import { TriggerClient, type TriggerClientOptions } from "../client/client.ts";
import { isFor, type NodeRequest, serveNode } from "./node-bridge.ts";

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<TriggerClientOptions>().build();
const PATH = Symbol("TriggerDevPath");
const MOUNTED = Symbol("TriggerDevMounted");

/** What the client is injected by, where no token of your own was given. */
export const TriggerClientRef: unique symbol = Symbol("TriggerClientRef");

/**
 * Injects the client into a provider or controller, which defines its jobs on it.
 *
 * @param token the one given to `register`; default {@link TriggerClientRef}
 * @example
 * @Injectable()
 * class Greetings {
 *   constructor(@InjectTriggerDevClient() client: TriggerClient) {
 *     client.defineJob({ id: "greet", name: "Greet", version: "1.0.0", trigger: eventTrigger({ name: "user.created" }), run });
 *   }
 * }
 */
export function InjectTriggerDevClient(token: InjectionToken = TriggerClientRef): PropertyDecorator & ParameterDecorator {
  return Inject(token);
}

/**
 * Makes a client, lets it be injected, and serves it at one path; also below the global prefix, where the app sets one. A version in the URL
 * is part of `path` if you want one there.
 *
 * @example
 * @Module({ imports: [TriggerDevModule.register({ id: "my-app" })], providers: [Greetings] })
 * class AppModule {}
 */
// biome-ignore lint/complexity/noStaticOnlyClass: what Nest takes for a module is a class.
export class TriggerDevModule {
  /** @param path default "/api/trigger" @param token what the client is injected by, for an app with several clients */
  static register(options: TriggerClientOptions, path?: string, token?: InjectionToken): DynamicModule {
    return withClient(ConfigurableModuleClass.register(options), path, token);
  }

  /**
   * The same, with options that come from elsewhere in the app.
   *
   * @example
   * TriggerDevModule.registerAsync({
   *   inject: [ConfigService],
   *   useFactory: (config: ConfigService) => ({ id: "my-app", apiKey: config.get("TRIGGER_API_KEY") }),
   * });
   */
  static registerAsync(
    options: ConfigurableModuleAsyncOptions<TriggerClientOptions, "create">,
    path?: string,
    token?: InjectionToken,
  ): DynamicModule {
    return withClient(ConfigurableModuleClass.registerAsync(options), path, token);
  }
}
Module({})(TriggerDevModule);

function withClient(base: DynamicModule, path = "/api/trigger", token: InjectionToken = TriggerClientRef): DynamicModule {
  return {
    ...base,
    module: TriggerDevModule,
    providers: [
      ...(base.providers ?? []),
      { provide: PATH, useValue: path },
      {
        provide: token,
        inject: [MODULE_OPTIONS_TOKEN],
        useFactory: (options: TriggerClientOptions) => new TriggerClient(options),
      },
      { provide: MOUNTED, inject: [token, PATH, HttpAdapterHost, ModuleRef], useFactory: mountOnce },
    ],
    exports: [token],
  };
}

/** Providers are made before Nest adds its parsers and routes: what is mounted now comes first. Apps without HTTP mount nothing. */
function mountOnce(client: TriggerClient, path: string, host: HttpAdapterHost, moduleRef: ModuleRef): true {
  const takes = (url: string | undefined) => isFor(path, url) || isFor(prefixOf(moduleRef) + path, url);
  const mountNow = () => host.httpAdapter && mount(client, host.httpAdapter, takes);
  if (host.httpAdapter) mountNow();
  // A testing module gets its HTTP adapter only after its providers were made.
  else host.init$?.subscribe(mountNow);
  return true;
}

type Next = () => void;

interface FastifyInstance {
  addHook(
    name: "onRequest",
    hook: (request: { raw: IncomingMessage }, reply: { raw: ServerResponse; hijack(): unknown }, next: Next) => void,
  ): unknown;
}

function mount(
  client: TriggerClient,
  adapter: HttpAdapterHost["httpAdapter"],
  takes: (url: string | undefined) => boolean,
): void {
  client.markServed();
  if (adapter.getType() === "fastify") {
    (adapter.getInstance() as FastifyInstance).addHook("onRequest", (request, reply, next) => {
      if (!takes(request.raw.url)) return next();
      reply.hijack();
      void serveNode(client, request.raw, reply.raw);
    });
    return;
  }
  adapter.use((request: NodeRequest, response: ServerResponse, next: Next) => {
    if (takes(request.originalUrl ?? request.url)) void serveNode(client, request, response);
    else next();
  });
}

/** The app's global prefix, with a slash before it. Apps set it after their providers were made, so it is asked for with each request. */
function prefixOf(moduleRef: ModuleRef): string {
  // Nest hands its configuration to nobody, but every module's reference holds the container that has it, in all versions since 5.
  const { container } = moduleRef as unknown as { container?: { applicationConfig?: { getGlobalPrefix(): string } } };
  const prefix = container?.applicationConfig?.getGlobalPrefix() ?? "";
  return prefix === "" || prefix.startsWith("/") ? prefix : `/${prefix}`;
}
