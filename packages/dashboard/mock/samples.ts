// The mock API's payloads, and the hostile text every screen must show as text. Called by world.ts, runs.ts and catalogue.ts.

/** Shown as a job's name, a log message, an error, a header: anywhere text of strangers ends up. */
export const HOSTILE = `<img src=x onerror="window.pwned=true"><script>window.pwned=true</script>`;

export const clerkUser = (at: number) => ({
  type: at % 3 === 2 ? "user.updated" : "user.created",
  object: "event",
  timestamp: 1_763_913_600_000 + at,
  data: {
    id: `user_29w83sxmDNGwOuEthce5gg${at}`,
    first_name: ["Ada", "Grace", "Katherine", "Alan"][at % 4],
    last_name: ["Lovelace", "Hopper", "Johnson", "Turing"][at % 4],
    email_addresses: [
      { id: `idn_${at}`, email_address: `person${at}@example.org`, verification: { status: "verified", strategy: "email_code" } },
    ],
    primary_email_address_id: `idn_${at}`,
    public_metadata: {},
    created_at: 1_763_913_600_000,
  },
});

export const requestPayload = (at: number) => ({
  url: "http://127.0.0.1:3040/api/v1/http-endpoints/hep_01/env/dev/4f1b",
  method: "POST",
  headers: {
    "content-type": "application/json",
    "svix-id": `msg_2p${at}`,
    "svix-timestamp": "1763913600",
    "svix-signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
  },
  rawBody: JSON.stringify(clerkUser(at)),
});
