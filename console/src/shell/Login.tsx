/** The way in: log in, and change the first password before anything else. */
import { Button, Form, Input } from 'antd'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '@/api/client'
import { useChangePassword, useLogin, useLogout } from '@/api/session'
import { Failure } from '@/parts/Failure'
import { LanguageSwitch, ThemeSwitch } from './Switches'
import { Wordmark } from './Wordmark'

const SHORTEST = 10

function Door({ title, about, children }: { title: string; about: string; children: ReactNode }) {
  return (
    <div className="door">
      <div className="door-switches">
        <LanguageSwitch />
        <ThemeSwitch />
      </div>
      <div className="door-card">
        <Wordmark />
        <h1>{title}</h1>
        <p className="quiet">{about}</p>
        {children}
      </div>
    </div>
  )
}

export function Login() {
  const { t } = useTranslation()
  const login = useLogin()
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const submit = async (values: { username: string; password: string }) => {
    setBusy(true)
    setError(null)
    try {
      await login(values.username, values.password)
    } catch (failure) {
      setError(failure instanceof ApiError && failure.status === 401 ? new ApiError(401, t('login.wrong'), failure.hint) : failure)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Door title={t('login.title')} about={t('login.about')}>
      <Form layout="vertical" requiredMark={false} onFinish={(values) => void submit(values)} initialValues={{ username: 'admin' }}>
        {error ? <Failure error={error} /> : null}
        <Form.Item name="username" label={t('login.username')} rules={[{ required: true, message: t('required') }]}>
          <Input autoComplete="username" size="large" />
        </Form.Item>
        <Form.Item name="password" label={t('login.password')} rules={[{ required: true, message: t('required') }]}>
          <Input.Password autoComplete="current-password" size="large" autoFocus />
        </Form.Item>
        <Button type="primary" htmlType="submit" size="large" block loading={busy}>
          {t('login.submit')}
        </Button>
      </Form>
    </Door>
  )
}

export function ChangePassword() {
  const { t } = useTranslation()
  const change = useChangePassword()
  const logout = useLogout()
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const submit = async (values: { old: string; fresh: string }) => {
    setBusy(true)
    setError(null)
    try {
      await change(values.old, values.fresh)
    } catch (failure) {
      setError(failure)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Door title={t('password.title')} about={t('password.about')}>
      <Form layout="vertical" requiredMark={false} onFinish={(values) => void submit(values)}>
        {error ? <Failure error={error} /> : null}
        <Form.Item name="old" label={t('password.old')} rules={[{ required: true, message: t('required') }]}>
          <Input.Password autoComplete="current-password" size="large" autoFocus />
        </Form.Item>
        <Form.Item name="fresh" label={t('password.new')} rules={[{ required: true, min: SHORTEST, message: t('password.short', { count: SHORTEST }) }]}>
          <Input.Password autoComplete="new-password" size="large" />
        </Form.Item>
        <Form.Item
          name="again"
          label={t('password.again')}
          dependencies={['fresh']}
          rules={[
            { required: true, message: t('required') },
            ({ getFieldValue }) => ({
              validator: (_, value) => (value === getFieldValue('fresh') ? Promise.resolve() : Promise.reject(new Error(t('password.differs')))),
            }),
          ]}
        >
          <Input.Password autoComplete="new-password" size="large" />
        </Form.Item>
        <Button type="primary" htmlType="submit" size="large" block loading={busy}>
          {t('password.submit')}
        </Button>
        <Button type="link" block onClick={() => void logout()}>
          {t('logout')}
        </Button>
      </Form>
    </Door>
  )
}
