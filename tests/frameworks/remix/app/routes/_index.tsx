export default function Index() {
  return <p>Courses</p>;
}
