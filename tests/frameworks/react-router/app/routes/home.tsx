export default function Home() {
  return <p>Evening school</p>;
}
