// The events of Clerk's catalogue entry: shapes as Clerk sends them, every value invented. Read by the sample sender and the dashboard.
// Fields follow the types `@clerk/backend` publishes for its webhooks; clerk.test.ts checks them against that package.
import type { SampleEvent } from "../src/manifest.ts";

const USER_ID = "user_2hFExampleAdaLovelace00001";
const EMAIL_ID = "idn_2hFExampleAdaAddress000001";
const INSTANCE_ID = "ins_2hFExampleInstance00000001";
const CREATED = 1_767_261_600_000; // 2026-01-01T10:00:00Z
const CLIENT = {
  client_ip: "203.0.113.24",
  user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
};

const ada = {
  id: USER_ID,
  object: "user",
  username: null,
  first_name: "Ada",
  last_name: "Lovelace",
  locale: "en-GB",
  timezone: "Europe/London",
  image_url: "https://img.clerk.com/example-ada.png",
  has_image: false,
  primary_email_address_id: EMAIL_ID,
  primary_phone_number_id: null,
  primary_web3_wallet_id: null,
  password_enabled: true,
  password_last_updated_at: CREATED,
  two_factor_enabled: false,
  totp_enabled: false,
  backup_code_enabled: false,
  email_addresses: [
    {
      id: EMAIL_ID,
      object: "email_address",
      email_address: "ada@example.com",
      linked_to: [],
      verification: {
        id: "",
        object: "verification_ticket",
        status: "verified",
        strategy: "email_code",
        attempts: 1,
        expire_at: CREATED + 600_000,
      },
    },
  ],
  phone_numbers: [],
  web3_wallets: [],
  organization_memberships: null,
  external_accounts: [],
  enterprise_accounts: [],
  public_metadata: {},
  private_metadata: {},
  unsafe_metadata: {},
  external_id: null,
  banned: false,
  locked: false,
  deprovisioned: false,
  lockout_expires_in_seconds: null,
  verification_attempts_remaining: 100,
  created_at: CREATED,
  updated_at: CREATED,
  last_sign_in_at: null,
  last_active_at: CREATED,
  create_organization_enabled: true,
  create_organizations_limit: null,
  delete_self_enabled: true,
  legal_accepted_at: null,
};

function envelope(type: string, at: number, data: unknown): SampleEvent["body"] {
  return { type, object: "event", data, event_attributes: { http_request: CLIENT }, timestamp: at, instance_id: INSTANCE_ID };
}

const renamed = {
  ...ada,
  last_name: "King",
  username: "countess",
  updated_at: CREATED + 3_600_000,
  public_metadata: { plan: "team" },
};

const session = {
  id: "sess_2hFExampleSession00000001",
  object: "session",
  client_id: "client_2hFExampleClient000001",
  user_id: USER_ID,
  status: "active",
  actor: null,
  last_active_at: CREATED + 5_000,
  expire_at: CREATED + 604_800_000,
  abandon_at: CREATED + 2_592_000_000,
  created_at: CREATED + 5_000,
  updated_at: CREATED + 5_000,
  user: null,
};

export const events: SampleEvent[] = [
  { name: "user.created", title: "A user signed up", body: envelope("user.created", CREATED, ada) },
  { name: "user.updated", title: "A user changed their profile", body: envelope("user.updated", CREATED + 3_600_000, renamed) },
  {
    name: "user.deleted",
    title: "A user was deleted",
    body: envelope("user.deleted", CREATED + 7_200_000, { id: USER_ID, object: "user", deleted: true }),
  },
  { name: "session.created", title: "A user signed in", body: envelope("session.created", CREATED + 5_000, session) },
];
