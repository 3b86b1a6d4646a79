export function Wordmark() {
  return (
    <span className="wordmark">
      <img src="/icon.svg" alt="" width={26} height={26} />
      Seawall
    </span>
  )
}
