import { client } from "@/trigger";

export default function Page() {
  async function subscribe(form: FormData) {
    "use server";
    await client.sendEvent({ name: "subscriber.created", payload: { email: form.get("email"), name: "reader" } });
  }
  return (
    <form action={subscribe}>
      <input name="email" type="email" />
      <button type="submit">Subscribe</button>
    </form>
  );
}
