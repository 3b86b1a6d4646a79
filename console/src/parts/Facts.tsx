import type { ReactNode } from 'react'

/** Names and values in two columns; what is undefined is left out, what is empty is a dash. */
export function Facts({ items }: { items: [name: string, value: ReactNode][] }) {
  return (
    <dl className="facts">
      {items
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value === null || value === '' ? <span className="quiet">–</span> : value}</dd>
          </div>
        ))}
    </dl>
  )
}

export function Section({ title, extra, children }: { title: string; extra?: ReactNode; children: ReactNode }) {
  return (
    <section className="section">
      <header>
        <h3>{title}</h3>
        {extra}
      </header>
      {children}
    </section>
  )
}
