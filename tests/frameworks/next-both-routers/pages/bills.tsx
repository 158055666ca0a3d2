export default function Bills() {
  return <p>Bills</p>;
}
