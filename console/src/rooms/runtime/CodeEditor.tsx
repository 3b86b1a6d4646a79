/**
 * A light editor for rule files: line numbers, the line of an error marked with what mends it, YAML in colours. The text
 * lies in a plain textarea, so that selection, undo, search and screen readers work as everywhere; colours lie behind it.
 */
import { Tooltip } from 'antd'
import { useEffect, useMemo, useRef, type KeyboardEvent, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { RuleError } from './policy'

const COLOURED = 4000
/** Beyond so many lines it is all one colour: typing must stay quick. */

export interface Mark extends RuleError {
  warning?: boolean
}

export function CodeEditor({ value, onChange, marks, goTo, readOnly = false, label }: { value: string; onChange: (text: string) => void; marks: Mark[]; goTo?: { line: number } | null; readOnly?: boolean; label: string }) {
  const { t } = useTranslation('runtime')
  const area = useRef<HTMLTextAreaElement>(null)
  const behind = useRef<HTMLPreElement>(null)
  const gutter = useRef<HTMLDivElement>(null)
  const lines = useMemo(() => value.split('\n'), [value])
  const byLine = useMemo(() => {
    const found = new Map<number, Mark[]>()
    for (const mark of marks) found.set(mark.line, [...(found.get(mark.line) ?? []), mark])
    return found
  }, [marks])
  const follow = () => {
    if (!area.current) return
    for (const other of [behind.current, gutter.current]) if (other) other.scrollTop = area.current.scrollTop
    if (behind.current) behind.current.scrollLeft = area.current.scrollLeft
  }
  useEffect(() => {
    if (!goTo || !area.current) return
    const start = lines.slice(0, goTo.line - 1).reduce((sum, line) => sum + line.length + 1, 0)
    area.current.focus()
    area.current.setSelectionRange(start, start + (lines[goTo.line - 1]?.length ?? 0))
    const height = area.current.scrollHeight / Math.max(lines.length, 1)
    area.current.scrollTop = Math.max(0, (goTo.line - 6) * height)
    follow()
    // only when somebody asks to go there
    // eslint-disable-next-line
  }, [goTo])
  const press = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    // Tab writes blanks; Esc first lets the keyboard leave.
    const here = event.currentTarget
    if (event.key === 'Escape') return here.blur()
    if (event.key !== 'Tab' || event.shiftKey || readOnly) return
    event.preventDefault()
    document.execCommand('insertText', false, '  ')
  }
  return (
    <div className="editor" data-test="editor">
      <div className="editor-gutter" ref={gutter} aria-hidden="true">
        {lines.map((_, place) => {
          const mine = byLine.get(place + 1)
          const number = <div key={place} className={mine ? (mine.every((one) => one.warning) ? 'warned' : 'wrong') : ''}>{place + 1}</div>
          return mine ? (
            <Tooltip key={place} title={mine.map((one) => [one.message, one.hint].filter(Boolean).join(' — ')).join('\n')} placement="right">
              {number}
            </Tooltip>
          ) : (
            number
          )
        })}
      </div>
      <div className="editor-text">
        <pre ref={behind} aria-hidden="true">
          {lines.map((line, place) => (
            <div key={place} className={byLine.has(place + 1) ? (byLine.get(place + 1)!.every((one) => one.warning) ? 'warned' : 'wrong') : ''}>
              {lines.length > COLOURED ? line : coloured(line)}
              {'\n'}
            </div>
          ))}
        </pre>
        <textarea
          ref={area}
          value={value}
          onChange={(event) => onChange(event.target.value)}
          onScroll={follow}
          onKeyDown={press}
          readOnly={readOnly}
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
          wrap="off"
          aria-label={label}
          aria-describedby="editor-keys"
        />
        <span id="editor-keys" className="visually-hidden">
          {t('editor.keys')}
        </span>
      </div>
    </div>
  )
}

const PARTS = /(#.*$)|("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')|^(\s*(?:- )?)([\w.-]+)(:)(?=\s|$)|\b(and|or|not|in|exists|contains|icontains|startswith|endswith|glob|iglob|pmatch|intersects|regex)\b|\b((?:proc|fd|evt|container|k8s|user|group|thread|stdin|stdout|stderr|stdio)\.[\w.[\]]+)/g

/** Lines for people: no words of conditions are sought in them. */
const PROSE = /^\s*(?:- )?(?:title|why|advice|desc|output|name)\s*:/

/** A line with keys, texts, remarks, fields and operators told apart. */
function coloured(line: string): ReactNode[] {
  const parts: ReactNode[] = []
  let at = 0
  const prose = PROSE.test(line)
  for (const found of line.matchAll(PARTS)) {
    const [all, remark, text, indent, key, colon, operator, field] = found
    if (remark && found.index > 0 && !/\s/.test(line[found.index - 1] ?? '')) continue
    if (prose && (operator || field)) continue
    if (found.index > at) parts.push(line.slice(at, found.index))
    if (key) parts.push(indent, <i key={found.index} className="k">{key}</i>, colon)
    else parts.push(<i key={found.index} className={remark ? 'c' : text ? 's' : operator ? 'o' : field ? 'f' : ''}>{all}</i>)
    at = found.index + all.length
  }
  parts.push(line.slice(at))
  return parts
}
