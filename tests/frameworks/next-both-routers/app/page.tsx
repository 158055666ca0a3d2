import { client } from "@/trigger";

export default function Page() {
  async function enrol(form: FormData) {
    "use server";
    await client.sendEvent({ name: "pupil.enrolled", payload: { name: form.get("name"), courses: ["sums"] } });
  }
  return (
    <form action={enrol}>
      <input name="name" />
      <button type="submit">Enrol</button>
    </form>
  );
}
