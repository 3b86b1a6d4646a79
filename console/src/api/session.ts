import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { ApiError, get, post, rememberCsrf, remove, SESSION_CHANGED } from './client'

export interface User {
  name: string
  role: 'viewer' | 'operator' | 'admin'
  must_change_password: boolean
}

interface Session {
  user: User
  csrf: string
}

const KEY = ['session']

async function who(): Promise<User | null> {
  try {
    const session = await get<Session>('/session')
    rememberCsrf(session.csrf)
    return session.user
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null
    throw error
  }
}

/** Who is logged in: null for nobody. */
export function useSession() {
  const client = useQueryClient()
  useEffect(() => {
    const again = () => void client.invalidateQueries({ queryKey: KEY })
    window.addEventListener(SESSION_CHANGED, again)
    return () => window.removeEventListener(SESSION_CHANGED, again)
  }, [client])
  return useQuery({ queryKey: KEY, queryFn: who, staleTime: Infinity, retry: 2 })
}

/** The user inside the shell, where there always is one. */
export function useUser(): User {
  const { data } = useSession()
  return data ?? { name: '', role: 'viewer', must_change_password: false }
}

/** Whether the user may act (operator) or administer. */
export function useMay(role: 'operator' | 'admin'): boolean {
  const mine = useUser().role
  return mine === 'admin' || (role === 'operator' && mine === 'operator')
}

export function useLogin() {
  const client = useQueryClient()
  return async (username: string, password: string) => {
    const session = await post<Session>('/session', { username, password })
    rememberCsrf(session.csrf)
    client.setQueryData(KEY, session.user)
  }
}

export function useLogout() {
  const client = useQueryClient()
  return async () => {
    await remove('/session').catch(() => undefined)
    client.setQueryData(KEY, null)
    client.removeQueries({ predicate: (one) => one.queryKey[0] !== KEY[0] })
  }
}

export function useChangePassword() {
  const client = useQueryClient()
  return async (old: string, fresh: string) => {
    await post('/session/password', { old, new: fresh })
    await client.invalidateQueries({ queryKey: KEY })
  }
}
