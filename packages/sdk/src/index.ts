// The public surface of the SDK: v2's names first, Holdfast's additions with them. Nothing is defined here.

export type { DisplayProperty } from "@holdfast/protocol";
export type {
  CanceledRuns,
  EphemeralEventDispatcher,
  EventDetail,
  GetRunOptions,
  GetRunsOptions,
  InvokeOptions,
  RegisteredSchedule,
  RunDetail,
  RunStatuses,
  RunSummary,
  RunTaskDetail,
  SendEvent,
  SendEventOptions,
  SentEvent,
} from "./client/api.ts";
export { TriggerClient, type TriggerClientOptions } from "./client/client.ts";
export type { InvokeAndWaitOptions, JobEnd } from "./client/invoke-and-wait.ts";
export type {
  DynamicIntervalOptions,
  HttpSourceEvent,
  IOOptions,
  IOStats,
  Logger,
  NormalizedRequest,
  NotificationEvents,
  NotificationsEventEmitter,
  OutputSerializer,
  PreprocessResults,
  Prettify,
  RegisteredOptionsDiff,
  SourceEventOption,
  TriggerPreprocessContext,
  TypedEventSpecificationExample,
  WaitForEventResult,
  WebhookHandlerEvent,
} from "./compatible-types.ts";
export {
  EventSpecificationExampleSchema,
  JSONOutputSerializer,
  type ThrowingSchema,
  waitForEventSchema,
} from "./compatible-values.ts";
export type { ConnectedClient, ConnectOptions } from "./connect/connect.ts";
export { defineIntegration, type Integration, type IntegrationOptions } from "./integrations/define.ts";
export type { FailureRule, WaitHeader } from "./integrations/rules.ts";
export type { VendorId } from "./integrations/vendors.ts";
export { type ConnectionAuth, type IntegrationTaskKey, IO, type IOWithIntegrations, type TriggerIntegration } from "./io/io.ts";
export type { KeyValueStore } from "./io/key-value-store.ts";
export { IOLogger, type TaskLogger } from "./io/logger.ts";
export type {
  AwaitedEvent,
  BackgroundFetchOptions,
  BackgroundFetchResponse,
  BackgroundPoll,
  EventWaitedFor,
  FetchRequestInit,
  FetchRetryOptions,
} from "./io/outside.ts";
export type {
  IOTask,
  Json,
  OverridableRunTaskOptions,
  RetryOptions,
  RunTaskErrorCallback,
  RunTaskOptions,
  Task,
} from "./io/task.ts";
export type { InitialStatusUpdate, StatusUpdate } from "./io/trigger-status.ts";
export { TriggerStatus } from "./io/trigger-status.ts";
export { ConcurrencyLimit, type ConcurrencyLimitOptions } from "./jobs/concurrency-limit.ts";
export type { AuthResolverResult, TriggerAuthResolver } from "./jobs/connections.ts";
export type { TriggerContext } from "./jobs/context.ts";
export { Job, type JobIO, type JobOptions, type JobPayload } from "./jobs/job.ts";
export type {
  FailedRunNotification,
  NotificationListeners,
  RunNotification,
  SuccessfulRunNotification,
} from "./jobs/notification.ts";
export type { Debounce, RateLimit, Throttle } from "./jobs/starts.ts";
export { omit, type RedactString, redactString } from "./objects.ts";
export type { NormalizedResponse } from "./push/respond.ts";
export { ErrorWithTask, isTriggerError } from "./replay/errors.ts";
export type { CacheKey } from "./replay/key.ts";
export { retry } from "./replay/retry.ts";
export type { LogLevel, Runtime, Socket, SocketEvents } from "./runtime/runtime.ts";
export { DynamicSchedule, type ScheduleMetadata } from "./triggers/dynamic-schedule.ts";
export { DynamicTrigger, type DynamicTriggerOptions } from "./triggers/dynamic-trigger.ts";
export { type EventOptions, EventTrigger, type EventTriggerOptions, eventTrigger } from "./triggers/event-trigger.ts";
export {
  ExternalSource,
  type ExternalSourceOptions,
  type ExternalSourceParams,
  ExternalSourceTrigger,
  type ExternalSourceTriggerOptions,
  type HandlerEvent,
  type TriggerOptionRecord,
} from "./triggers/external-source.ts";
export type { EndpointOptions, HttpEndpoint, HttpTrigger, RespondWith, VerifyCallback } from "./triggers/http-endpoint.ts";
export { InvokeTrigger, invokeTrigger } from "./triggers/invoke-trigger.ts";
export {
  MissingConnectionNotification,
  MissingConnectionResolvedNotification,
  missingConnectionNotification,
  missingConnectionResolvedNotification,
} from "./triggers/missing-connection.ts";
export {
  type CronOptions,
  CronTrigger,
  cronTrigger,
  type IntervalOptions,
  IntervalTrigger,
  intervalTrigger,
  type ScheduledPayload,
} from "./triggers/schedule-trigger.ts";
export type {
  PayloadSchema,
  SchemaParser,
  SchemaParserIssue,
  SchemaParserResult,
  StandardSchema,
} from "./triggers/schema.ts";
export { slugifyId } from "./triggers/slug.ts";
export type {
  EventFilter,
  EventSpecification,
  EventSpecificationExample,
  EventTypeFromSpecification,
  RequestFilter,
  Trigger,
  TriggerEventType,
  TriggerInvokeType,
  TriggerPayload,
  VerifyResult,
} from "./triggers/trigger.ts";
export {
  type GetWebhookConfig,
  type GetWebhookParams,
  type WebhookConfig,
  type WebhookDeliveryContext,
  type WebhookOptions,
  WebhookSource,
  WebhookTrigger,
  type WebhookTriggerOptions,
} from "./triggers/webhook-source.ts";
export { verifyHmacSha256, verifyRequestSignature } from "./verify-signature.ts";
export { SDK_VERSION } from "./version.ts";
