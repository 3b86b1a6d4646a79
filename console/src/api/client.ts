/** The API in the words of docs/reference/api.md: one function a verb, errors as values that can be shown. */

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly hint: string = '',
  ) {
    super(message)
  }
}

export interface Page<T> {
  items: T[]
  next: string | null
  total: number
}

/** Bilingual text as rooms send it. */
export interface Bilingual {
  en: string
  zh: string
}

let csrf = ''

/** The session's token that changing calls carry; known after logging in or asking who we are. */
export function rememberCsrf(value: string): void {
  csrf = value
}

/** Fired when the server no longer knows us, or asks for another password: the shell then asks again who we are. */
export const SESSION_CHANGED = 'seawall:session'

export async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (method !== 'GET') headers['X-Seawall-CSRF'] = csrf
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  let answer: Response
  try {
    answer = await fetch(`/api/v1${path}`, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
    })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError(0, 'unreachable')
  }
  if (answer.ok) return answer.status === 204 ? (undefined as T) : ((await answer.json()) as T)
  const said = (await answer.json().catch(() => ({}))) as { error?: string; hint?: string }
  const outside = answer.status === 401 && path !== '/session'
  if (outside || (answer.status === 403 && said.error === 'password must be changed')) {
    window.dispatchEvent(new Event(SESSION_CHANGED))
  }
  throw new ApiError(answer.status, said.error ?? answer.statusText, said.hint ?? '')
}

export const get = <T>(path: string, signal?: AbortSignal) => call<T>('GET', path, undefined, signal)
export const post = <T>(path: string, body?: unknown) => call<T>('POST', path, body ?? {})
export const put = <T>(path: string, body: unknown) => call<T>('PUT', path, body)
export const patch = <T>(path: string, body: unknown) => call<T>('PATCH', path, body)
export const remove = <T>(path: string) => call<T>('DELETE', path)

/** `{a: 'x', b: ''}` as `?a=x`: what is empty is left out. */
export function query(words: Record<string, string | number | null | undefined>): string {
  const kept = Object.entries(words).filter(([, value]) => value !== '' && value !== null && value !== undefined)
  const text = new URLSearchParams(kept.map(([key, value]) => [key, String(value)])).toString()
  return text && `?${text}`
}
